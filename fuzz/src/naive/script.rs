//! What Linux makes of the first bytes of a script since 5.1, in the steps of its `load_script`
//! (fs/binfmt_script.c), and as measured with execve(2).

const ROOM: usize = 256;

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// From `first` to `last`, both included.
fn find(room: &[u8; ROOM], first: usize, last: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    (first..=last).find(|at| wanted(room[*at]))
}

/// A text of C that starts there.
fn text(room: &[u8; ROOM], start: usize) -> Vec<u8> {
    room[start..]
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect()
}

/// The interpreter and its argument. `None`: ENOEXEC.
pub fn line(start: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let mut room = [0; ROOM];
    let length = start.len().min(ROOM);
    room[..length].copy_from_slice(&start[..length]);
    if &room[..2] != b"#!" {
        return None;
    }
    let last = ROOM - 1;
    let stop = (0..ROOM).find(|at| room[*at] == b'\n' || room[*at] == 0);
    let mut end = match stop.filter(|at| room[*at] == b'\n') {
        Some(end) => end,
        None => {
            let path = find(&room, 2, last, |byte| !is_blank(byte))?;
            find(&room, path, last, |byte| is_blank(byte) || byte == 0)?;
            last
        }
    };
    while is_blank(room[end - 1]) {
        end -= 1;
    }
    let name = find(&room, 2, end, |byte| !is_blank(byte)).filter(|name| *name != end)?;
    let behind = find(&room, name, end, |byte| is_blank(byte) || byte == 0);
    let argument = behind
        .filter(|at| room[*at] != 0)
        .and_then(|at| find(&room, at, end, |byte| !is_blank(byte)));
    room[end] = 0;
    let argument = argument.map(|at| text(&room, at));
    if let Some(at) = behind {
        room[at] = 0;
    }
    Some((text(&room, name), argument))
}
