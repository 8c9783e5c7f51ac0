//! Lists the files of `config` that are built in for `source.rs`, in order of their names.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let config = Path::new("../../config").canonicalize()?;
    let is_grammar = |file: &PathBuf| file.ends_with("casualties.toml");
    let (grammars, lexicons): (Vec<_>, Vec<_>) =
        files(&config.join("lexicon"), "toml")?.into_iter().partition(is_grammar);
    let name =
        |file: &Path| file.strip_prefix(&config).unwrap_or(file).to_string_lossy().into_owned();
    let folder = |file: &Path| {
        file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    };
    let stem = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let code = [
        list("LEXICONS", "&str", "include_str!", &lexicons, name),
        list("ACTORS", "&str", "include_str!", &files(&config.join("actors"), "toml")?, name),
        list("CASUALTIES", "&str", "include_str!", &grammars, folder),
        list("GATES", "&[u8]", "include_bytes!", &files(&config.join("model"), "gate")?, stem),
        list("VECTORS", "&[u8]", "include_bytes!", &files(&config.join("model"), "vectors")?, stem),
    ];
    #[expect(clippy::disallowed_methods, reason = "asks Cargo where to write")]
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(PathBuf::from(out).join("built_in.rs"), code.concat())
}

/// A constant of the files, each by its key.
fn list(
    constant: &str,
    kind: &str,
    include: &str,
    files: &[PathBuf],
    key: impl Fn(&Path) -> String,
) -> String {
    let entry = |file: &PathBuf| {
        let path = file.to_string_lossy();
        format!("    ({:?}, {include}({:?})),\n", key(file.as_path()), path.as_ref())
    };
    let entries: String = files.iter().map(entry).collect();
    format!("pub(super) const {constant}: &[(&str, {kind})] = &[\n{entries}];\n")
}

/// Every file below a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            println!("cargo::rerun-if-changed={}", path.display());
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}
