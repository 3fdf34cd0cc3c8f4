pub fn page(_: &crate::results::Results) -> String { String::new() }
