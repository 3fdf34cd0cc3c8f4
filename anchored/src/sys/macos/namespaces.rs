//! Where numbers and times mean something: there is one namespace of each.

/// As [`anchor_contract::AnchorId`] has it where there is only one.
pub fn own_numbers() -> Option<u64> {
    Some(0)
}

/// See [`own_numbers`].
pub fn numbers_of(_: i32) -> Option<u64> {
    own_numbers()
}

/// Whether start times are read here as everybody else reads them.
pub fn has_common_times() -> bool {
    true
}

/// See [`has_common_times`].
pub fn has_common_times_in(_: i32) -> bool {
    true
}
