//! What Linux reads of a program's headers before it runs it, in the order of its `load_elf_binary` (fs/binfmt_elf.c),
//! for every machine and both byte orders.

/// Bits, whether big-endian, machine; the loader's path, or whether it relocates itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Elf {
    pub target: (u8, bool, u16),
    pub loader: Option<Vec<u8>>,
    pub dynamic: bool,
}

/// How the fields of this file are read.
struct Form {
    wide: bool,
    big: bool,
}

impl Form {
    fn number(&self, file: &[u8], at: u64, size: u64) -> Option<u64> {
        let bytes = range(file, at, size)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }

    /// A field whose place and size depend on the width.
    fn either(&self, file: &[u8], start: u64, narrow: (u64, u64), wide: (u64, u64)) -> Option<u64> {
        let (at, size) = if self.wide { wide } else { narrow };
        self.number(file, start.checked_add(at)?, size)
    }
}

fn range(file: &[u8], at: u64, size: u64) -> Option<&[u8]> {
    let (at, end) = (
        usize::try_from(at).ok()?,
        usize::try_from(at.checked_add(size)?).ok()?,
    );
    file.get(at..end)
}

/// `None`: ENOEXEC; or no class, byte order or version that there is, which Linux does not look at.
pub fn read(file: &[u8]) -> Option<Elf> {
    let ident = range(file, 0, 16)?;
    let (class, order) = (ident[4], ident[5]);
    if !ident.starts_with(b"\x7fELF") || ![1, 2].contains(&class) || ![1, 2].contains(&order) || ident[6] != 1
    {
        return None;
    }
    let form = Form {
        wide: class == 2,
        big: order == 2,
    };
    range(file, 0, if form.wide { 64 } else { 52 })?;
    let (kind, machine) = (form.number(file, 16, 2)?, form.number(file, 18, 2)?);
    let entry = if form.wide { 56 } else { 32 };
    let size = form.either(file, 0, (42, 2), (54, 2))?;
    let count = form.either(file, 0, (44, 2), (56, 2))?;
    if ![2, 3].contains(&kind) || size != entry || count == 0 || size * count > 65_536 {
        return None;
    }
    let table = form.either(file, 0, (28, 4), (32, 8))?;
    range(file, table, size * count)?;
    // Linux would take the header itself for it, which nobody writes.
    if table == 0 {
        return None;
    }
    let (mut loader, mut dynamic) = (None, false);
    for index in 0..count {
        let start = table + index * size;
        let kind = form.number(file, start, 4)?;
        dynamic |= kind == 2;
        if kind == 3 && loader.is_none() {
            let (at, length) = (
                form.either(file, start, (4, 4), (8, 8))?,
                form.either(file, start, (16, 4), (32, 8))?,
            );
            let path = (2..=4096).contains(&length).then(|| range(file, at, length))??;
            if path.last() != Some(&0) {
                return None;
            }
            loader = Some(path.iter().copied().take_while(|byte| *byte != 0).collect());
        }
    }
    Some(Elf {
        target: (
            if form.wide { 64 } else { 32 },
            form.big,
            u16::try_from(machine).ok()?,
        ),
        loader,
        dynamic,
    })
}
