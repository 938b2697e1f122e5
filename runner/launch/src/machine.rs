//! Determines how much memory is available.

use std::fs;
use std::path::Path;

/// The assumed memory of the machine if its size can't be read, in bytes.
const UNKNOWN: u64 = 2 << 30;

/// Returns how many bytes of memory this process may use: the machine's memory, or the limit of the
/// process's control group or of one of its parents, if that is lower.
pub fn memory() -> u64 {
    memory_under(Path::new("/"))
}

fn memory_under(root: &Path) -> u64 {
    let machine = total(root).unwrap_or(UNKNOWN);
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(|line| limits(root, line));
    limits.fold(machine, u64::min)
}

/// Reads `MemTotal` (proc_meminfo(5)).
fn total(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// Returns the limits of a control group and its parents. `line` is `ID:CONTROLLERS:PATH`
/// (cgroups(7)). `max` is not a number, and so not a limit.
fn limits(root: &Path, line: &str) -> Vec<u64> {
    let mut fields = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
    else {
        return Vec::new();
    };
    let (mount, file) = if controllers.is_empty() {
        ("sys/fs/cgroup", "memory.max")
    } else if controllers.split(',').any(|one| one == "memory") {
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    let mount = root.join(mount);
    let groups = Path::new(path.trim_start_matches('/')).ancestors();
    groups
        .filter_map(|group| fs::read_to_string(mount.join(group).join(file)).ok())
        .filter_map(|text| text.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory_of(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        memory_under(root.path())
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");

    #[test]
    fn the_least_of_the_machine_and_all_groups_around_counts() {
        assert_eq!(memory_of(&[MEMINFO]), 16 << 20);
        let second = [
            MEMINFO,
            ("proc/self/cgroup", "0::/ci/job\n"),
            ("sys/fs/cgroup/ci/job/memory.max", "max\n"),
            ("sys/fs/cgroup/ci/memory.max", "8388608\n"),
        ];
        assert_eq!(memory_of(&second), 8 << 20);
        // In a container, the process sees its own group as the root.
        let container = [
            MEMINFO,
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "4194304\n"),
        ];
        assert_eq!(memory_of(&container), 4 << 20);
        let first = [
            MEMINFO,
            ("proc/self/cgroup", "5:cpu,memory:/job\n4:pids:/job\n"),
            (
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes",
                "2097152\n",
            ),
        ];
        assert_eq!(memory_of(&first), 2 << 20);
        // An old kernel's value for no limit.
        let unlimited = [
            MEMINFO,
            ("proc/self/cgroup", "5:memory:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(memory_of(&unlimited), 16 << 20);
    }

    #[test]
    fn what_can_t_be_read_is_no_reason_to_stop() {
        assert_eq!(memory_of(&[]), UNKNOWN);
        assert_eq!(
            memory_of(&[MEMINFO, ("proc/self/cgroup", "nonsense")]),
            16 << 20
        );
    }
}
