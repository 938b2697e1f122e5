//! The shared libraries of a program, without running it or the loader.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::ImageError;
use crate::object::Object;

/// The C library of GNU systems.
const C_LIBRARY: &str = "libc.so.6";
/// Libraries that the C library loads by itself to resolve host names, where it has not built them
/// in (nss(5); built in since version 2.34).
const LOADED_LATER: [&str; 3] = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/// The files that the loader reads besides the program: where each is in an image, and on this
/// machine.
pub(crate) type Libraries = BTreeMap<PathBuf, PathBuf>;

/// Finds the libraries of a program in the loader's folders.
///
/// In the image all of them are in the folder of the C library, which the loader searches without
/// any configuration.
pub(crate) fn find(
    path: &Path,
    program: &Object,
    folders: &[PathBuf],
) -> Result<Libraries, ImageError> {
    let mut libraries = Libraries::new();
    let Some(loader) = &program.interpreter else {
        return Ok(libraries);
    };
    libraries.insert(loader.clone(), loader.clone());
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut open = vec![(
        path.to_owned(),
        program.needed.clone(),
        program.folders.clone(),
    )];
    while let Some((path, needed, own)) = open.pop() {
        for name in needed {
            // The loader itself is a library of others.
            if found.contains_key(&name) || loader.file_name().is_some_and(|file| *file == *name) {
                continue;
            }
            let mut places = own.iter().chain(&program.folders).chain(folders);
            let Some((file, library)) = places.find_map(|folder| {
                let file = folder.join(&name);
                let library = Object::read(&file).ok()?;
                (library.machine == program.machine).then_some((file, library))
            }) else {
                return Err(ImageError::NoLibrary {
                    library: name,
                    of: path,
                });
            };
            open.push((file.clone(), library.needed, library.folders));
            found.insert(name, file);
        }
    }
    let c_library = found.get(C_LIBRARY).or(found.values().next());
    let folder = c_library.and_then(|file| file.parent()).map(Path::to_owned);
    let Some(folder) = folder else {
        return Ok(libraries);
    };
    if found.contains_key(C_LIBRARY) {
        for name in LOADED_LATER {
            let file = folder.join(name);
            if Object::read(&file).is_ok_and(|library| library.machine == program.machine) {
                found.entry(name.to_owned()).or_insert(file);
            }
        }
    }
    libraries.extend(
        found
            .into_iter()
            .map(|(name, file)| (folder.join(name), file)),
    );
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folders;

    #[test]
    fn every_needed_library_is_in_the_folder_of_the_c_library() {
        let path = std::env::current_exe().unwrap();
        let program = Object::read(&path).unwrap();
        let folders = folders::of_loader(program.machine);
        let libraries = find(&path, &program, &folders).unwrap();
        let loader = &program.interpreter.clone().unwrap();
        assert_eq!(libraries.get(loader), Some(loader));
        let c_library = libraries
            .keys()
            .find(|path| path.ends_with(C_LIBRARY))
            .unwrap();
        let folder = c_library.parent().unwrap();
        let objects = libraries.values().map(|file| Object::read(file).unwrap());
        for object in objects.chain([program]) {
            assert_eq!(object.folders, [""; 0].map(PathBuf::from));
            for name in object.needed {
                let is_loader = loader.file_name().unwrap() == &*name;
                assert!(
                    is_loader || libraries.contains_key(&folder.join(&name)),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_missing_library_is_named_with_the_program_that_needs_it() {
        let path = std::env::current_exe().unwrap();
        let mut program = Object::read(&path).unwrap();
        program.needed = vec!["libnone.so.1".to_owned()];
        let folders = folders::of_loader(program.machine);
        let refused = find(&path, &program, &folders).unwrap_err().to_string();
        let expected = format!(
            "{} needs the library libnone.so.1, which is in none of the loader's folders",
            path.display()
        );
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_static_program_needs_no_library() {
        let path = std::env::current_exe().unwrap();
        let mut program = Object::read(&path).unwrap();
        program.interpreter = None;
        assert_eq!(find(&path, &program, &[]).unwrap(), Libraries::new());
    }
}
