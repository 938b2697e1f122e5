use crate::{
    Entry, Error, Kind, RelPath,
    ignore::Ignore,
    report::Skipped,
    source::Source,
    walk::{self, Walked},
};
use sidestep_files::Folder;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A folder or a file to lay over a context, such as the output of an earlier step. It replaces the
/// entries at the same places and leaves the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The local folder or file.
    pub source: PathBuf,
    /// The place of its content in the context, such as `dist/`; `.` is the context's root.
    pub at: PathBuf,
}

/// Lays overlays over the entries of a walk, in order.
pub(crate) fn apply(
    overlays: &[Overlay],
    found: &mut Walked,
    sources: &mut Vec<Source>,
) -> Result<(), Error> {
    if overlays.is_empty() {
        return Ok(());
    }
    let entries = std::mem::take(&mut found.entries);
    let mut entries: BTreeMap<RelPath, Entry> = entries
        .into_iter()
        .map(|entry| (entry.path.clone(), entry))
        .collect();
    for overlay in overlays {
        let number = u32::try_from(sources.len()).expect("fewer overlays than that");
        let at = place(overlay)?;
        let laid = read(overlay, at.as_ref(), number)?;
        if let Some(at) = &at {
            make_folders(overlay, at, &mut entries)?;
        }
        for entry in laid.entries {
            put(entry, &mut entries);
        }
        found.skipped.extend(laid.skipped);
        sources.push(match laid_file(overlay) {
            Some((folder, name)) => Source::file(open(folder)?, name.to_owned()),
            None => Source::tree(open(&overlay.source)?, at),
        });
    }
    found.entries = entries.into_values().collect();
    Ok(())
}

fn open(folder: &Path) -> Result<Folder, Error> {
    Folder::open(folder).map_err(Error::io("read", folder))
}

/// Returns the folder and the name of an overlay that is a single file.
fn laid_file(overlay: &Overlay) -> Option<(&Path, &Path)> {
    let source = &overlay.source;
    if source.is_dir() {
        return None;
    }
    Some((source.parent()?, Path::new(source.file_name()?)))
}

fn refused(overlay: &Overlay, reason: impl Into<String>) -> Error {
    Error::Overlay {
        at: overlay.at.display().to_string(),
        reason: reason.into(),
    }
}

fn place(overlay: &Overlay) -> Result<Option<RelPath>, Error> {
    let cleaned = crate::ignore::clean(overlay.at.as_os_str().as_encoded_bytes());
    if cleaned == b"." {
        return Ok(None);
    }
    let at = RelPath::new(cleaned);
    at.map(Some)
        .ok_or_else(|| refused(overlay, "the target must be inside the build context"))
}

/// Returns the overlay's entries, at their places in the context.
fn read(overlay: &Overlay, at: Option<&RelPath>, number: u32) -> Result<Walked, Error> {
    let source: &Path = &overlay.source;
    let Some((folder, name)) = laid_file(overlay) else {
        let everything = Ignore::nothing();
        let mut found = walk::walk(&open(source)?, &everything, &[])?;
        for entry in &mut found.entries {
            entry.source = number;
            if let Some(at) = at {
                entry.path = at.join(&entry.path);
            }
        }
        for skipped in &mut found.skipped {
            if let Some(at) = at {
                skipped.path = format!("{}/{}", at.to_str_lossy(), skipped.path);
            }
        }
        if let Some(at) = at {
            let root = Entry {
                path: at.clone(),
                kind: Kind::Folder,
                mode: Kind::Folder.mode(),
                source: number,
            };
            found.entries.insert(0, root);
        }
        return Ok(found);
    };
    let at = at.ok_or_else(|| {
        refused(
            overlay,
            format!(
                "{} is a file, so the target must be a file's path",
                source.display()
            ),
        )
    })?;
    let mut found = Walked::default();
    let folder = open(folder)?;
    let stat = folder
        .stat_itself(name)
        .map_err(Error::io("read", source))?;
    match walk::kind(&folder, name, &stat)? {
        Ok(kind) => found.entries.push(Entry {
            path: at.clone(),
            mode: walk::mode(&kind, &stat),
            kind,
            source: number,
        }),
        Err(what) => {
            found.skipped.push(Skipped {
                path: at.to_str_lossy().into_owned(),
                what,
            });
        }
    }
    Ok(found)
}

/// Creates the folders above the overlay's place. A file or link of the context there is an error:
/// a write below a link would be a write elsewhere.
fn make_folders(
    overlay: &Overlay,
    at: &RelPath,
    entries: &mut BTreeMap<RelPath, Entry>,
) -> Result<(), Error> {
    for folder in at.ancestors() {
        match entries.get(&folder).map(|entry| &entry.kind) {
            Some(Kind::Folder) => {}
            Some(_) => {
                let reason = format!("`{}` is not a folder in the context", folder.to_str_lossy());
                return Err(refused(overlay, reason));
            }
            None => {
                let entry = Entry {
                    path: folder.clone(),
                    kind: Kind::Folder,
                    mode: Kind::Folder.mode(),
                    source: 0,
                };
                entries.insert(folder, entry);
            }
        }
    }
    Ok(())
}

/// Inserts an entry. A folder over a folder keeps the existing content; everything else replaces
/// it.
fn put(entry: Entry, entries: &mut BTreeMap<RelPath, Entry>) {
    if entry.kind != Kind::Folder {
        let below: Vec<RelPath> = entries
            .range(entry.path.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.within(&entry.path))
            .cloned()
            .collect();
        for path in below {
            entries.remove(&path);
        }
    }
    entries.insert(entry.path.clone(), entry);
}
