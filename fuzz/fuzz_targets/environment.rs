//! An environment, an entry and a NUL after the other: the library's reading, the launcher's and getenv(3)'s agree;
//! what the library adds to it is found again and nothing else has changed; and the list of preloaded files keeps
//! every other file in its place.

#![no_main]

use anchor_contract::{VARIABLES, Values, value_in};
use anchor_fuzz::environ_array::{Array, set};
use anchor_fuzz::naive::proc::getenv;
use anchor_spawn::{FILE, Library};
use libfuzzer_sys::fuzz_target;
use std::ffi::{CStr, CString, OsStr, c_char};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::LazyLock;

fuzz_target!(|block: &[u8]| {
    let entries: Vec<&[u8]> = block.split(|byte| *byte == 0).collect();
    values(block, &entries);
    let added = entries.len().min(3);
    let (old, added) = entries.split_at(entries.len() - added);
    // The library adds three that differ in their names, or are empty where there is nothing to say.
    let named: Vec<&[u8]> = added
        .iter()
        .copied()
        .filter(|entry| entry.is_empty() || entry.contains(&b'='))
        .collect();
    let names = named.iter().filter(|entry| !entry.is_empty());
    let names: Vec<_> = names
        .map(|entry| entry.split(|byte| *byte == b'=').next())
        .collect();
    if (1..names.len()).all(|place| !names[..place].contains(&names[place])) {
        addition(old, &named);
    }
    preloads(entries[0]);
});

fn values(block: &[u8], entries: &[&[u8]]) {
    let mut all = Values::none();
    let mut ours = Values::none();
    for entry in entries {
        all.take(entry);
        if Values::may_take(entry) {
            ours.take(entry);
        }
    }
    for variable in VARIABLES {
        let value = getenv(entries, variable.name);
        assert_eq!(value_in(block, variable.name), value);
        let value = value.filter(|value| !value.is_empty());
        assert_eq!(all.get(variable), value);
        assert_eq!(ours.get(variable), value);
    }
}

fn addition(old: &[&[u8]], added: &[&[u8]]) {
    let texts: Vec<CString> = old.iter().filter_map(|entry| CString::new(*entry).ok()).collect();
    let mut array: Vec<*mut c_char> = texts.iter().map(|text| text.as_ptr().cast_mut()).collect();
    array.push(std::ptr::null_mut());
    let mut variable = array.as_mut_ptr();
    let mut pages = Vec::new();
    // SAFETY: the address of a variable that leads to an array with a null pointer at its end.
    let before = unsafe { Array::at(&raw mut variable) }.expect("an array");
    let room = |length: usize| {
        // No byte more than was asked for: what is written behind them is seen by the sanitizer.
        pages = vec![0_usize; length.div_ceil(size_of::<usize>())];
        Some(pages.as_mut_ptr().cast())
    };
    assert!(set(&before, room, added));
    if added.iter().all(|entry| entry.is_empty()) {
        assert!(pages.is_empty() && variable == array.as_mut_ptr());
        return;
    }
    // SAFETY: as above; `set` has made a new array of the same kind.
    let after = unsafe { Array::at(&raw mut variable) }.expect("an array");
    let after: Vec<&[u8]> = after.entries().map(CStr::to_bytes).collect();

    let name = |entry: &[u8]| {
        entry
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    let mut wanted = old.to_vec();
    for entry in added.iter().filter(|entry| !entry.is_empty()) {
        match wanted.iter_mut().find(|other| name(other) == name(entry)) {
            Some(place) => *place = entry,
            None => wanted.push(entry),
        }
    }
    assert_eq!(after, wanted);
}

static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("anchor-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(FILE), "").expect("a file");
    let library = Library::at(folder.join(FILE));
    std::fs::remove_dir_all(folder).expect("no folder");
    library.expect("a library")
});

/// LD_PRELOAD.
fn preloads(before: &[u8]) {
    let entries = |list: &[u8]| -> Vec<Vec<u8>> {
        let separates = |byte: &u8| b": \t\n\r\x0c".contains(byte);
        let entries = list.split(separates).filter(|entry| !entry.is_empty());
        entries.map(<[u8]>::to_vec).collect()
    };
    let is_copy = |entry: &Vec<u8>| {
        let name = entry.split(|byte| *byte == b'/').next_back().unwrap_or_default();
        let hash = name.get(b"libanchor-".len()..).and_then(|rest| rest.get(..32));
        let hash = hash
            .and_then(|hash| std::str::from_utf8(hash).ok())
            .unwrap_or_default();
        let unpacked = Library::unpacked_name(hash);
        let is_hash = hash.chars().all(|digit| digit.is_ascii_hexdigit()) && hash.len() == 32;
        name == FILE.as_bytes() || (is_hash && name == unpacked.as_bytes())
    };
    let others = |list: &[u8]| -> Vec<Vec<u8>> {
        entries(list)
            .into_iter()
            .filter(|entry| !is_copy(entry))
            .collect()
    };
    let own = LIBRARY.path().as_os_str().as_bytes();

    let with = LIBRARY
        .appended_to(Some(OsStr::from_bytes(before).to_owned()))
        .into_vec();
    let copies: Vec<Vec<u8>> = entries(&with).into_iter().filter(is_copy).collect();
    assert_eq!(copies, [own]);
    assert_eq!(others(&with), others(before));
    // Where a copy of it stood first, or else behind the others.
    let place = entries(before)
        .iter()
        .position(is_copy)
        .unwrap_or(others(before).len());
    assert_eq!(entries(&with)[place], own);
    assert_eq!(
        LIBRARY
            .appended_to(Some(OsStr::from_bytes(&with).to_owned()))
            .as_bytes(),
        with
    );

    for list in [before, &with] {
        let without = Library::removed_from(OsStr::from_bytes(list)).map(OsStringExt::into_vec);
        let left = others(before);
        assert_eq!(
            without.as_deref().map(entries),
            (!left.is_empty()).then_some(left)
        );
    }
}
