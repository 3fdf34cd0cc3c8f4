//! The function that a call would have reached without us: what `dlsym(RTLD_NEXT)` answers.
//!
//! REJECTED: dlsym(3) itself. Before glibc 2.34 it is in another library, which most programs do not have; and it takes
//! the loader's lock and may allocate, while some of these calls are made between fork and exec.

use super::arch::weak_symbol;
use core::ffi::{CStr, c_char};

/// `struct r_debug`, link.h: what the dynamic loader shows to debuggers.
#[repr(C)]
struct Loaded {
    version: i32,
    first: *const Object,
}

/// The part of `struct link_map` that is public, link.h. What was loaded at start stays in this list, in the order of
/// symbol search, and what comes and goes later is behind it: so it can be walked without a lock.
#[repr(C)]
struct Object {
    base: usize,
    name: *const c_char,
    dynamic: *const Entry,
    next: *const Self,
}

/// `Elf64_Dyn` or `Elf32_Dyn`, elf(5).
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    tag: usize,
    value: usize,
}

#[cfg(target_pointer_width = "32")]
use libc::Elf32_Sym as Symbol;
#[cfg(target_pointer_width = "64")]
use libc::Elf64_Sym as Symbol;

const DT_NULL: usize = 0;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_GNU_HASH: usize = 0x6fff_fef5;
const STT_FUNC: u8 = 2;

/// The address of function `name` in the first object after this one that has it.
pub fn next_symbol(name: &CStr) -> Option<usize> {
    let mut object = first_object();
    let own: *const Entry = core::ptr::with_exposed_provenance(own_dynamic());
    let mut past_us = false;
    while !object.is_null() {
        // SAFETY: the loader's list holds whole objects and ends with null.
        let this = unsafe { &*object };
        if past_us {
            let found = Symbols::of(this).and_then(|symbols| symbols.function(name));
            if found.is_some() {
                return found;
            }
        }
        past_us |= this.dynamic == own;
        object = this.next;
    }
    None
}

/// glibc exports the structure, musl a pointer to it.
fn first_object() -> *const Object {
    let (glibc, musl) = (weak_symbol!("_r_debug"), weak_symbol!("_dl_debug_addr"));
    let loaded: *const Loaded = if glibc != 0 {
        core::ptr::with_exposed_provenance(glibc)
    } else if musl != 0 {
        let place: *const *const Loaded = core::ptr::with_exposed_provenance(musl);
        // SAFETY: the address of musl's variable.
        unsafe { place.read() }
    } else {
        core::ptr::null()
    };
    if loaded.is_null() {
        return core::ptr::null();
    }
    // SAFETY: the loader's structure, filled in before any constructor runs.
    unsafe { &*loaded }.first
}

/// Where our own dynamic section is, by which we know ourselves in the list.
fn own_dynamic() -> usize {
    super::arch::own_symbol!("_DYNAMIC")
}

/// What is needed to look a name up in one object.
struct Symbols {
    base: usize,
    names: usize,
    table: usize,
    hash: usize,
}

impl Symbols {
    fn of(object: &Object) -> Option<Self> {
        let (mut names, mut table, mut hash) = (0, 0, 0);
        let mut entry = object.dynamic;
        loop {
            // SAFETY: the section ends with DT_NULL, and this is not behind it.
            let Entry { tag, value } = unsafe { entry.read() };
            // glibc has added the base to these addresses, musl has not, nor has the kernel in its vDSO.
            let address = if value < object.base {
                value.wrapping_add(object.base)
            } else {
                value
            };
            match tag {
                DT_NULL => break,
                DT_STRTAB => names = address,
                DT_SYMTAB => table = address,
                DT_GNU_HASH => hash = address,
                _ => {}
            }
            // SAFETY: it was not the end.
            entry = unsafe { entry.add(1) };
        }
        (names != 0 && table != 0 && hash != 0).then_some(Self {
            base: object.base,
            names,
            table,
            hash,
        })
    }

    /// A look-up in the GNU hash table: a header of four words, a Bloom filter of words as wide as an address, the
    /// buckets, the chains.
    fn function(&self, name: &CStr) -> Option<usize> {
        let word = |index: usize| read::<u32>(self.hash, index);
        let (buckets, first, filter) = (word(0), word(1), word(2) as usize);
        let wanted = hash(name);
        let buckets_at = filter.wrapping_mul(size_of::<usize>() / 4).wrapping_add(4);
        let chains_at = buckets_at.wrapping_add(buckets as usize);
        let mut index = word(buckets_at.wrapping_add(wanted.checked_rem(buckets)? as usize));
        while index >= first {
            let entry = word(chains_at.wrapping_add(index.wrapping_sub(first) as usize));
            if entry | 1 == wanted | 1 {
                let symbol = read::<Symbol>(self.table, index as usize);
                let text: *const c_char =
                    core::ptr::with_exposed_provenance(self.names.wrapping_add(symbol.st_name as usize));
                // SAFETY: a symbol's name is a NUL-terminated text in the object's table of names.
                let is_it = unsafe { CStr::from_ptr(text) } == name;
                if is_it && symbol.st_shndx != 0 && symbol.st_info & 0xf == STT_FUNC {
                    return usize::try_from(symbol.st_value)
                        .ok()
                        .map(|value| value.wrapping_add(self.base));
                }
            }
            if entry & 1 == 1 {
                break;
            }
            index = index.wrapping_add(1);
        }
        None
    }
}

/// Element `index` of the array at `address`, which an object's dynamic section has named.
fn read<T: Copy>(address: usize, index: usize) -> T {
    let array: *const T = core::ptr::with_exposed_provenance(address);
    // SAFETY: the loader itself relies on these tables; indices come from them.
    let place = unsafe { array.add(index) };
    // SAFETY: as above.
    unsafe { place.read() }
}

/// The hash of the GNU table: Bernstein's, 33 times and the next byte.
fn hash(name: &CStr) -> u32 {
    name.to_bytes().iter().fold(5381_u32, |hash, byte| {
        hash.wrapping_mul(33).wrapping_add(u32::from(*byte))
    })
}
