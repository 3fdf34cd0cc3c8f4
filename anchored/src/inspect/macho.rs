//! What a Mach-O file says of itself: for which machines it is, and what in it makes dyld drop the variable that names
//! the library, or end the program over it. The rules and their sources are in docs/macos.md.

use object::endian::BigEndian;
use object::macho::{
    CPU_SUBTYPE_ARM64E, CPU_TYPE_ARM64, CPU_TYPE_X86_64, CS_FORCED_LV, CS_REQUIRE_LV, CS_RESTRICT,
    CS_RUNTIME, CSMAGIC_EMBEDDED_ENTITLEMENTS, LC_CODE_SIGNATURE, LinkeditDataCommand, MachHeader64,
};
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64, Section, Segment};
use object::{Endianness, FileKind, ReadCache, ReadRef};
use std::io::{Read, Seek};

/// A program or a library, with its parts for one machine each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachO {
    slices: Vec<Slice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    machine: Machine,
    /// It has the section by which a program asks dyld to drop such variables.
    restrict: bool,
    signature: Option<Signature>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    X86_64,
    Arm64,
    Arm64e,
}

/// What its signature says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Signature {
    hardened: bool,
    restricted: bool,
    /// It loads libraries of its own team alone.
    own_team_only: bool,
    /// Apple's own.
    platform: bool,
    team: Option<Vec<u8>>,
    takes_variables: bool,
    takes_other_teams: bool,
}

const TAKES_VARIABLES: &str = "com.apple.security.cs.allow-dyld-environment-variables";
const TAKES_OTHER_TEAMS: &str = "com.apple.security.cs.disable-library-validation";

/// How many parts a file has at most here: their list fits into a page. Those that are made have two or three.
const MOST_PARTS: usize = 204;
/// How many pieces a signature has at most here; those that are made have about ten.
const MOST_PIECES: usize = 64;

/// Reads the headers and the signatures. `None`: it is no such file.
pub fn read(file: impl Read + Seek) -> Option<MachO> {
    // Reads what is asked for and no more.
    let data = ReadCache::new(file);
    let slices = match FileKind::parse(&data).ok()? {
        FileKind::MachO64 => vec![slice(&data)?],
        FileKind::MachOFat32 => slices(&data, MachOFatFile32::parse(&data).ok()?.arches())?,
        FileKind::MachOFat64 => slices(&data, MachOFatFile64::parse(&data).ok()?.arches())?,
        _ => return None,
    };
    Some(MachO { slices })
}

/// Parts for machines of long ago are passed over.
fn slices<A: FatArch>(data: &ReadCache<impl Read + Seek>, parts: &[A]) -> Option<Vec<Slice>> {
    let part = |part: &A| slice(data.range(part.offset().into(), part.size().into()));
    (parts.len() <= MOST_PARTS).then(|| parts.iter().filter_map(part).collect())
}

fn slice<'data, R: ReadRef<'data>>(data: R) -> Option<Slice> {
    let header = MachHeader64::<Endianness>::parse(data, 0).ok()?;
    let endian = header.endian().ok()?;
    let machine = match (header.cputype(endian), header.cpusubtype(endian).id()) {
        (CPU_TYPE_X86_64, _) => Machine::X86_64,
        (CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64E) => Machine::Arm64e,
        (CPU_TYPE_ARM64, _) => Machine::Arm64,
        _ => return None,
    };
    let mut slice = Slice {
        machine,
        restrict: false,
        signature: None,
    };
    let mut commands = header.load_commands(endian, data, 0).ok()?;
    while let Some(command) = commands.next().ok()? {
        if let Some((segment, sections)) = command.segment_64().ok()? {
            let sections = segment.sections(endian, sections).ok()?;
            let restricts = |name: &[u8]| name == b"__restrict";
            slice.restrict |=
                segment.name() == b"__RESTRICT" && sections.iter().any(|section| restricts(section.name()));
        } else if command.cmd() == LC_CODE_SIGNATURE {
            let place: &LinkeditDataCommand<Endianness> = command.data().ok()?;
            // One is all that anybody signs with.
            if slice.signature.is_some() {
                return None;
            }
            slice.signature = Some(signature(place, endian, data)?);
        }
    }
    Some(slice)
}

fn signature<'data, R: ReadRef<'data>>(
    place: &LinkeditDataCommand<Endianness>,
    endian: Endianness,
    data: R,
) -> Option<Signature> {
    let mut signature = Signature::default();
    for (count, blob) in place.code_signature(endian, data).ok()?.blobs().enumerate() {
        let blob = blob.ok().filter(|_| count < MOST_PIECES)?;
        if let Some(directory) = blob.code_directory().ok()? {
            let flags = directory.header().flags.get(BigEndian);
            let has = |flag: object::macho::CsFlags| flags.0 & flag.0 != 0;
            signature.hardened |= has(CS_RUNTIME);
            signature.restricted |= has(CS_RESTRICT);
            signature.own_team_only |= has(CS_RUNTIME) || has(CS_REQUIRE_LV) || has(CS_FORCED_LV);
            signature.platform |= directory.header().platform != 0;
            let team = directory.team_id().ok()?;
            signature.team = team.map(<[u8]>::to_vec).or(signature.team);
        } else if blob.magic() == CSMAGIC_EMBEDDED_ENTITLEMENTS {
            let list = String::from_utf8_lossy(blob.contents());
            signature.takes_variables |= entitled(&list, TAKES_VARIABLES);
            signature.takes_other_teams |= entitled(&list, TAKES_OTHER_TEAMS);
        }
    }
    Some(signature)
}

/// Whether the property list says yes to this one.
fn entitled(list: &str, name: &str) -> bool {
    let key = format!("<key>{name}</key>");
    list.split(key.as_str())
        .skip(1)
        .any(|behind| behind.trim_start().starts_with("<true"))
}

impl MachO {
    /// Whether it is loaded into such a program and lets it run, or why not.
    pub fn fits(&self, program: &Self, it: &str) -> Result<(), String> {
        let Some(slice) = program.runs() else {
            return Err(format!("{it} has no part for this machine"));
        };
        let none = Signature::default();
        let signed = slice.signature.as_ref().unwrap_or(&none);
        if slice.restrict {
            return Err(format!(
                "{it} has a __RESTRICT segment, and dyld drops the variable"
            ));
        }
        if signed.platform || signed.restricted {
            return Err(format!(
                "{it} is restricted by its signature, and dyld drops the variable"
            ));
        }
        if signed.hardened && !signed.takes_variables {
            return Err(format!("{it} has the hardened runtime without {TAKES_VARIABLES}"));
        }
        let Some(own) = self.slices.iter().find(|own| own.machine == slice.machine) else {
            let machine = slice.machine.name();
            return Err(format!(
                "{it} is {machine}, the library {}: dyld would end it",
                self.machines()
            ));
        };
        let team = own
            .signature
            .as_ref()
            .and_then(|signature| signature.team.as_ref());
        let same_team = team.is_some() && team == signed.team.as_ref();
        if signed.own_team_only && !signed.takes_other_teams && !same_team {
            return Err(format!(
                "{it} takes libraries of its own team alone, without {TAKES_OTHER_TEAMS}: dyld would end it"
            ));
        }
        Ok(())
    }

    /// The part that runs here. Only Apple's own programs run as arm64e where they have another.
    fn runs(&self) -> Option<&Slice> {
        let order: &[Machine] = if cfg!(target_arch = "aarch64") {
            &[Machine::Arm64, Machine::Arm64e, Machine::X86_64]
        } else {
            &[Machine::X86_64]
        };
        order
            .iter()
            .find_map(|machine| self.slices.iter().find(|slice| slice.machine == *machine))
    }

    /// Their names.
    pub fn machines(&self) -> String {
        let names: Vec<&str> = self.slices.iter().map(|slice| slice.machine.name()).collect();
        names.join(" ")
    }
}

impl Machine {
    fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
            Self::Arm64e => "arm64e",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MachO, TAKES_OTHER_TEAMS, TAKES_VARIABLES, read};
    use std::io::Cursor;

    const X86_64: (u32, u32) = (0x0100_0007, 3);
    const ARM64: (u32, u32) = (0x0100_000c, 0);
    const ARM64E: (u32, u32) = (0x0100_000c, 0x8000_0002);
    const OWN: (u32, u32) = if cfg!(target_arch = "aarch64") {
        ARM64
    } else {
        X86_64
    };

    const RESTRICT: u32 = 0x800;
    const RUNTIME: u32 = 0x1_0000;

    /// What a file is made of; nothing of it is code.
    #[derive(Clone, Default)]
    struct Made {
        restrict: bool,
        /// Flags, platform, team, entitlements.
        signature: Option<(u32, u8, &'static str, String)>,
    }

    impl Made {
        fn signed(flags: u32, team: &'static str, entitlements: &[&str]) -> Self {
            let keys: String = entitlements
                .iter()
                .map(|name| format!("<key>{name}</key>\n  <true/>"))
                .collect();
            Self {
                restrict: false,
                signature: Some((flags, 0, team, keys)),
            }
        }

        fn part(&self, machine: (u32, u32)) -> Vec<u8> {
            let mut commands = Vec::new();
            let mut count = 0;
            let word = |to: &mut Vec<u8>, words: &[u32]| {
                words.iter().for_each(|word| to.extend(word.to_le_bytes()));
            };
            if self.restrict {
                count += 1;
                word(&mut commands, &[0x19, 72 + 80]);
                commands.extend(*b"__RESTRICT\0\0\0\0\0\0");
                word(&mut commands, &[0; 8]);
                word(&mut commands, &[7, 7, 1, 0]);
                commands.extend(*b"__restrict\0\0\0\0\0\0__RESTRICT\0\0\0\0\0\0");
                word(&mut commands, &[0; 12]);
            }
            let blob = self.blob();
            let end = 32 + commands.len() + if blob.is_empty() { 0 } else { 16 };
            if !blob.is_empty() {
                count += 1;
                let (place, length) = (u32::try_from(end).unwrap(), u32::try_from(blob.len()).unwrap());
                word(&mut commands, &[0x1d, 16, place, length]);
            }
            let mut file = Vec::new();
            let length = u32::try_from(commands.len()).unwrap();
            word(
                &mut file,
                &[0xfeed_facf, machine.0, machine.1, 2, count, length, 0, 0],
            );
            file.extend(commands);
            file.extend(blob);
            file
        }

        /// A signature: a directory of the version that knows teams, and the entitlements.
        fn blob(&self) -> Vec<u8> {
            let Some((flags, platform, team, entitlements)) = &self.signature else {
                return Vec::new();
            };
            let big = |words: &[u32]| {
                words
                    .iter()
                    .flat_map(|word| word.to_be_bytes())
                    .collect::<Vec<u8>>()
            };
            let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
            let team = [team.as_bytes(), b"\0"].concat();
            let header = 52;
            let place = if team.len() > 1 { header } else { 0 };
            let directory = [
                big(&[0xfade_0c02, header + length(&team), 0x2_0200, *flags]),
                big(&[header, header, 0, 0, 0]),
                vec![32, 2, *platform, 12],
                big(&[0, 0, place]),
                team,
            ]
            .concat();
            let list = [
                big(&[0xfade_7171, 8 + length(entitlements.as_bytes())]),
                entitlements.as_bytes().to_vec(),
            ]
            .concat();
            let first = 12 + 16;
            let second = first + length(&directory);
            let index = big(&[0xfade_0cc0, second + length(&list), 2, 0, first, 5, second]);
            [index, directory, list].concat()
        }
    }

    fn file(bytes: &[u8]) -> Option<MachO> {
        read(Cursor::new(bytes))
    }

    fn made(made: &Made) -> MachO {
        file(&made.part(OWN)).unwrap()
    }

    /// One file of several parts.
    fn fat(parts: &[((u32, u32), Vec<u8>)]) -> MachO {
        let big = |word: usize| u32::try_from(word).unwrap().to_be_bytes();
        let mut whole = [&0xcafe_babe_u32.to_be_bytes()[..], &big(parts.len())].concat();
        let mut place = 4096;
        for (machine, part) in parts {
            whole.extend(machine.0.to_be_bytes());
            whole.extend(machine.1.to_be_bytes());
            for word in [place, part.len(), 12] {
                whole.extend(big(word));
            }
            place += 4096;
        }
        for (index, (_, part)) in parts.iter().enumerate() {
            whole.resize((index + 1) * 4096, 0);
            whole.extend(part);
        }
        file(&whole).unwrap()
    }

    fn plain(machines: &[(u32, u32)]) -> MachO {
        let parts: Vec<_> = machines
            .iter()
            .map(|machine| (*machine, Made::default().part(*machine)))
            .collect();
        fat(&parts)
    }

    fn refused(program: &Made, library: &MachO) -> Option<String> {
        library.fits(&made(program), "it").err()
    }

    #[test]
    fn an_ordinary_program_takes_the_library() {
        let library = plain(&[X86_64, ARM64]);
        assert_eq!(library.machines(), "x86_64 arm64");
        assert_eq!(refused(&Made::default(), &library), None);
        // Signed ad hoc, as every linker does.
        assert_eq!(refused(&Made::signed(0x2_0002, "", &[]), &library), None);
        assert_eq!(library.fits(&plain(&[ARM64E, ARM64, X86_64]), "it"), Ok(()));
    }

    #[test]
    fn a_program_that_drops_the_variable_is_told() {
        let library = plain(&[X86_64, ARM64]);
        let restrict = Made {
            restrict: true,
            signature: None,
        };
        let why = "it has a __RESTRICT segment, and dyld drops the variable";
        assert_eq!(refused(&restrict, &library).as_deref(), Some(why));
        let why = "it is restricted by its signature, and dyld drops the variable";
        assert_eq!(
            refused(&Made::signed(RESTRICT, "", &[]), &library).as_deref(),
            Some(why)
        );
        let mut apples = Made::signed(0, "", &[]);
        apples.signature.as_mut().unwrap().1 = 13;
        assert_eq!(refused(&apples, &library).as_deref(), Some(why));
        let why = format!("it has the hardened runtime without {TAKES_VARIABLES}");
        let other = Made::signed(RUNTIME, "TEAM", &[TAKES_OTHER_TEAMS]);
        assert_eq!(refused(&other, &library), Some(why));
    }

    #[test]
    fn a_program_that_dyld_would_end_is_told() {
        let library = plain(&[X86_64, ARM64]);
        let strict = Made::signed(RUNTIME, "TEAM", &[TAKES_VARIABLES]);
        let why = format!(
            "it takes libraries of its own team alone, without {TAKES_OTHER_TEAMS}: dyld would end it"
        );
        assert_eq!(refused(&strict, &library), Some(why.clone()));
        let of = |team| made(&Made::signed(0, team, &[]));
        assert_eq!(refused(&strict, &of("OTHER")), Some(why));
        assert_eq!(refused(&strict, &of("TEAM")), None);
        let open = Made::signed(RUNTIME, "TEAM", &[TAKES_VARIABLES, TAKES_OTHER_TEAMS]);
        assert_eq!(refused(&open, &library), None);
        assert_eq!(refused(&open, &of("OTHER")), None);
        let other = plain(&[ARM64E]);
        let own = if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x86_64"
        };
        let why = format!("it is {own}, the library arm64e: dyld would end it");
        assert_eq!(refused(&Made::default(), &other), Some(why));
    }

    #[test]
    fn a_program_for_other_machines_has_no_part() {
        let library = plain(&[X86_64, ARM64]);
        let ppc = (0x0100_0012, 0);
        let why = Err("it has no part for this machine".to_owned());
        assert_eq!(library.fits(&plain(&[ppc]), "it"), why);
    }

    #[test]
    fn an_entitlement_that_says_no_is_none() {
        let library = plain(&[X86_64, ARM64]);
        let mut program = Made::signed(RUNTIME, "TEAM", &[]);
        program.signature.as_mut().unwrap().3 =
            format!("<key>{TAKES_VARIABLES}</key><false/><key>{TAKES_OTHER_TEAMS}</key><true/>");
        let why = format!("it has the hardened runtime without {TAKES_VARIABLES}");
        assert_eq!(refused(&program, &library), Some(why));
    }

    #[test]
    fn a_file_that_is_cut_off_is_none_or_less() {
        let program = Made {
            restrict: true,
            ..Made::signed(RUNTIME, "TEAM", &[TAKES_VARIABLES])
        };
        let whole = program.part(OWN);
        for length in 0..whole.len() {
            let cut = file(whole.get(..length).unwrap());
            assert_eq!(cut, None, "{length}");
        }
        assert!(file(&whole).is_some());
    }

    /// A file with a short header and then `count` times the same part.
    fn many_parts(count: usize) -> Option<MachO> {
        let (part, place) = (Made::default().part(OWN), 8 + 20 * count);
        let words = |words: &[usize]| -> Vec<u8> {
            let big = |word: &usize| u32::try_from(*word).unwrap().to_be_bytes();
            words.iter().flat_map(big).collect()
        };
        let entry = [
            OWN.0.to_be_bytes().to_vec(),
            OWN.1.to_be_bytes().to_vec(),
            words(&[place, part.len(), 0]),
        ];
        let header = words(&[0xcafe_babe, count]);
        file(&[header, entry.concat().repeat(count), part].concat())
    }

    /// A part with so many signatures, each with `count` times the same piece.
    fn many_pieces(signatures: u32, count: usize) -> Option<MachO> {
        let list = [0xfade_7171_u32, 8].map(u32::to_be_bytes).concat();
        let (place, length) = (
            12 + 8 * count,
            u32::try_from(12 + 8 * count + list.len()).unwrap(),
        );
        let header = [0xfade_0cc0, length, u32::try_from(count).unwrap()].map(u32::to_be_bytes);
        let entry = [5, u32::try_from(place).unwrap()].map(u32::to_be_bytes).concat();
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let size = 16 * signatures;
        let start: Vec<u8> = words(&[0xfeed_facf, OWN.0, OWN.1, 2, signatures, size, 0, 0]);
        let command: Vec<u8> = words(&[0x1d, 16, 32 + size, length]);
        let commands = command.repeat(usize::try_from(signatures).unwrap());
        file(&[start, commands, header.concat(), entry.repeat(count), list].concat())
    }

    // Each costs as much as the file is long: were there any number, a small file would take hours.
    #[test]
    fn more_parts_or_pieces_than_there_ever_are_make_it_none() {
        let is_one = |file: Option<MachO>| file.is_some();
        assert!(is_one(many_parts(204)) && !is_one(many_parts(205)));
        assert!(is_one(many_pieces(1, 64)) && !is_one(many_pieces(1, 65)));
        assert!(!is_one(many_pieces(2, 1)));
    }
}
