//! What is printed reads as itself, whatever it is: the values of the variables, a line, the texts of `/proc`.

use anchor_contract::{
    AnchorFd, AnchorId, Children, FileId, Grace, Holder, IdForm, Line, Millis, Pid, Poll, Scope, Setting,
    Signal, StatLine, VARIABLES, Values, arguments, decimal, status_value, value_in,
};
use quickcheck::quickcheck;

fn printed(print: impl FnOnce(&mut Line)) -> Vec<u8> {
    let mut line = Line::new();
    print(&mut line);
    line.as_bytes().to_vec()
}

/// Numbers of every length: most of 64 bits are long.
fn any_length(number: u64) -> u64 {
    number >> (number % 64)
}

/// A process that the contract takes.
fn process(number: u32) -> Pid {
    Pid::from_raw(1 + i32::try_from(number % 4_194_304).unwrap()).unwrap()
}

/// Without the one byte that cannot stand there.
fn without(end: u8, text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| *byte != end).collect()
}

// ---- The variables.
quickcheck! {
    fn a_number_reads_as_itself(number: u64) -> bool {
        let number = any_length(number);
        decimal(&printed(|line| { line.number(number); })) == Some(number)
    }

    fn a_process_number_reads_as_itself(number: u32) -> bool {
        let pid = process(number);
        Pid::parse(&printed(|line| { line.number(pid.number()); })) == Some(pid)
    }

    fn a_time_reads_as_itself(count: u32) -> bool {
        let text = format!("{}ms", count % 86_400_001);
        let Some(Grace::Kill(time)) = Grace::parse(text.as_bytes()) else { return false };
        let again = printed(|line| time.print(line));
        let poll = (time.count() > 0).then_some(Poll(time));
        Millis::count(time) == count % 86_400_001
            && Grace::parse(&again) == Some(Grace::Kill(time))
            && Poll::parse(&again) == poll
    }

    fn a_signal_reads_as_itself(number: u8) -> bool {
        let Some(signal) = Signal::parse(number.to_string().as_bytes()) else { return true };
        let text = printed(|line| signal.print(line));
        // One without a name is printed in two words.
        let value = text.strip_prefix(b"signal ").unwrap_or(&text);
        signal.raw() == i32::from(number) && Signal::parse(value) == Some(signal)
    }

    fn a_scope_reads_as_itself(number: u32, start: u64) -> bool {
        let holder = Holder { pid: process(number), start: any_length(start) };
        [Scope::Tree, Scope::Itself(None), Scope::Itself(Some(holder))]
            .into_iter()
            .all(|scope| Scope::parse(&printed(|line| scope.print(line))) == Some(scope))
    }

    fn an_identity_reads_as_itself_on_linux(namespace: u64, start: u64, mark: Option<u64>) -> bool {
        let mark = mark.map(any_length);
        let id = AnchorId { namespace: any_length(namespace), start: any_length(start), mark };
        IdForm::Namespace.parse(&printed(|line| IdForm::Namespace.print(id, line))) == Some(id)
    }

    fn an_identity_reads_as_itself_on_macos(start: u64) -> bool {
        let id = AnchorId { namespace: 0, start: any_length(start), mark: None };
        let text = printed(|line| IdForm::Time.print(id, line));
        IdForm::Time.parse(&text) == Some(id) && text.iter().rev().position(|byte| *byte == b'.') == Some(6)
    }

    fn a_descriptor_reads_as_itself(number: u32, device: u64, inode: u64) -> bool {
        let number = i32::try_from(any_length(number.into()) >> 1).unwrap();
        let file = FileId { device: any_length(device), inode: any_length(inode) };
        [None, Some(file)].into_iter().all(|file| {
            let fd = AnchorFd::new(number, file);
            fd.is_some() && AnchorFd::parse(&printed(|line| fd.unwrap().print(line))) == fd
        })
    }

    fn an_environment_reads_as_it_was_made(values: Vec<Vec<u8>>) -> bool {
        let values: Vec<Vec<u8>> = values.iter().map(|value| without(0, value)).collect();
        let entries: Vec<Vec<u8>> = VARIABLES
            .iter()
            .zip(&values)
            .map(|(variable, value)| [variable.name.as_bytes(), b"=", value].concat())
            .collect();
        let mut found = Values::none();
        entries.iter().for_each(|entry| found.take(entry));
        let block = entries.join(&0);
        VARIABLES.iter().enumerate().all(|(at, variable)| {
            let value = values.get(at).map(Vec::as_slice);
            value_in(&block, variable.name) == value
                && found.get(variable) == value.filter(|value| !value.is_empty())
        })
    }
}

// ---- A line.
quickcheck! {
    fn a_line_is_what_was_put_into_it_as_far_as_there_is_room(pieces: Vec<(Vec<u8>, u64)>) -> bool {
        let (mut line, mut all) = (Line::new(), Vec::new());
        for (bytes, number) in &pieces {
            line.raw(bytes).number(*number);
            all.extend_from_slice(bytes);
            all.extend(number.to_string().bytes());
        }
        all.truncate(511);
        let same = line.as_bytes() == all;
        all.push(b'\n');
        same && line.end() == all
    }

    fn a_value_from_outside_stays_one_printable_line(value: Vec<u8>) -> bool {
        let mut line = Line::new();
        let quoted = line.quoted(&value).as_bytes();
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let same = |(found, meant): (&u8, &u8)| found == meant || (*found == b'?' && !printable(meant));
        quoted.iter().all(printable)
            && quoted.iter().zip(&value).take(80).all(same)
            && quoted.len() == if value.len() > 80 { 83 } else { value.len() }
    }
}

// ---- The texts of `/proc`.
quickcheck! {
    fn a_stat_line_reads_as_it_was_written(name: Vec<u8>, numbers: Vec<u64>, cut: usize) -> bool {
        let numbers: Vec<u64> = numbers.into_iter().map(any_length).collect();
        let words: Vec<String> = numbers.iter().map(|number| format!(" {number}")).collect();
        let line = [b"12 (", &name[..], b") S", words.concat().as_bytes(), b"\n"].concat();
        let read = |line: &[u8]| -> Vec<Option<u64>> {
            let stat = StatLine::parse(line);
            (4..).zip(&numbers).map(|(field, _)| stat.as_ref()?.count(field)).collect()
        };
        let whole = StatLine::parse(&line).unwrap();
        // Cut off behind the name, it gives the same numbers or none.
        let start = name.len() + 5;
        let shorter = &line[..start + cut % (line.len() - start)];
        whole.name() == Some(&name[..])
            && whole.state() == Some(b'S')
            && read(&line).into_iter().eq(numbers.iter().copied().map(Some))
            && read(shorter).into_iter().zip(&numbers).all(|(found, meant)| found.is_none_or(|found| found == *meant))
    }

    fn a_status_file_reads_as_it_was_written(name: Vec<u8>, group: u64, size: u64) -> bool {
        let name = without(b'\n', &name);
        let status = [b"Name:\t", &name[..], format!("\nTgid:\t{group}\nFDSize:\t{size}\n").as_bytes()].concat();
        let found = |field| status_value(&status, field).and_then(decimal);
        (found("Tgid"), found("FDSize")) == (Some(group), Some(size))
    }

    fn a_command_line_reads_as_it_was_written(words: Vec<Vec<u8>>) -> bool {
        let words: Vec<Vec<u8>> = words.iter().map(|word| without(0, word)).collect();
        let line: Vec<u8> = words.iter().flat_map(|word| [word, &[0][..]].concat()).collect();
        arguments(&line).eq(words.iter().map(Vec::as_slice))
    }

    fn a_child_is_found_in_whatever_pieces(children: Vec<u32>, wanted: u32, size: usize) -> bool {
        // No process has the number 0.
        let children: Vec<u32> = children.into_iter().map(|child| child.max(1)).collect();
        let list: String = children.iter().map(|child| format!("{child} ")).collect();
        let size = 1 + size % 600;
        let found = |wanted: u32| {
            let mut looked = Children::looking_for(wanted.into());
            list.as_bytes().chunks(size).filter(|piece| looked.found_in(piece)).count() > 0
        };
        let wanted = wanted.max(1);
        children.iter().all(|child| found(*child)) && found(wanted) == children.contains(&wanted)
    }
}
