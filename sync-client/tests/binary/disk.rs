//! A disk that is full: the run ends and says so, and nothing is lost or half done when there is room again.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::every::integrity;
use crate::world::{Ended, World, ended};

/// A file system of its own, gone at the end.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path, bytes: u64) -> Result<Self, String> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(Self(at)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Leaves so much room.
    fn leave(&self, pages: u64) {
        let filler = self.0.join("filler");
        let _ = fs::remove_file(&filler);
        let output = Command::new("df").args(["-B", "4096", "--output=avail"]).arg(self.0).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let free: u64 = text.lines().last().unwrap().trim().parse().unwrap();
        let bytes = free.saturating_sub(pages) * 4_096;
        fs::write(filler, vec![0; usize::try_from(bytes).unwrap()]).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

/// That it ended because of the disk, and said which file and what to do.
fn says_so(world: &World, ended: &Ended, room: u64) {
    assert_eq!(ended.code(), Some(4), "room for {room}: {ended:?}");
    let names_a_file = ["ledger.sqlite", "tickets.sqlite"]
        .iter()
        .any(|name| ended.err.contains(&world.file(name).display().to_string()));
    assert!(names_a_file, "room for {room}: {ended:?}");
    let says_what_to_do = ended.err.contains("free some and run again") || ended.err.contains("run again");
    assert!(says_what_to_do, "room for {room}: {ended:?}");
}

/// From nothing to enough: every length of a run.
#[test]
fn a_full_disk_ends_a_run_and_costs_nothing() {
    let mut world = World::new("demo");
    world.state = world.directory.path().join("disk");
    let state = world.state.clone();
    let disk = match SmallDisk::mount(&state, 64 << 20) {
        Ok(disk) => disk,
        Err(why) => {
            eprintln!("not run: no small disk can be mounted: {why}");
            return;
        }
    };
    let (mut full, mut enough, mut made) = (0, 0, Vec::new());
    // What a run left is there when the next one finds a little more room.
    for room in [0, 1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 2_048] {
        disk.leave(room);
        let ended = world.run("run");
        if ended.code() == Some(0) {
            enough += 1;
        } else {
            says_so(&world, &ended, room);
            full += 1;
        }
        disk.leave(u64::MAX);
        made.push(world.tickets().len());
    }
    disk.leave(0);
    let looked = world.run("tickets");
    assert!(looked.code() == Some(0) || looked.err.contains("no room on the disk for"), "{looked:?}");
    assert!(full >= 3 && enough > 0, "{full} full, {enough} enough");
    assert!(made.is_sorted(), "what was made stays: {made:?}");
    disk.leave(u64::MAX);
    assert_eq!(world.settle("run"), Vec::<String>::new());
    assert_eq!([integrity(&world, "ledger.sqlite"), integrity(&world, "tickets.sqlite")], ["ok", "ok"]);
    eprintln!("{full} runs ended for want of room, {enough} had enough; tickets after each: {made:?}");
}

/// The same where nothing can be mounted: no file may grow beyond a limit.
#[test]
fn a_file_that_may_not_grow_ends_a_run_and_costs_nothing() {
    let world = World::new("demo");
    let mut full = 0;
    for blocks in [1_u32, 8, 32, 64, 100, 130, 160, 200] {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_sync-client")]);
        world.equip(&mut command);
        command.env("PATH", "/usr/bin:/bin");
        let ended = ended(&mut command);
        if ended.code() != Some(0) {
            says_so(&world, &ended, blocks.into());
            full += 1;
        }
    }
    assert!(full >= 3, "{full}");
    assert_eq!(world.settle("run"), Vec::<String>::new());
    assert_eq!([integrity(&world, "ledger.sqlite"), integrity(&world, "tickets.sqlite")], ["ok", "ok"]);
    eprintln!("{full} runs ended at the limit");
}
