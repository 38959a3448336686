//! Archives made by the judge, honest and hostile: zip, tar, tar.gz with any name, links and bombs.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use zip::write::SimpleFileOptions;

use crate::value::Scope;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Zip,
    Tar,
    TarGz,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Value),
    Zeros(u64),
    Link(String),
    HardLink(String),
    Dir,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    content: Content,
    mode: u32,
}

/// An archive as a test describes it.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    format: Format,
    entries: Vec<Entry>,
}

impl Archive {
    /// Reads the description.
    pub(crate) fn from_value(value: &Value) -> Result<Archive, String> {
        let format = match value.get("format").and_then(Value::as_str) {
            Some("zip") => Format::Zip,
            Some("tar") => Format::Tar,
            Some("tar.gz") => Format::TarGz,
            _ => return Err("an archive's `format` is `zip`, `tar` or `tar.gz`".to_owned()),
        };
        if let Some(key) =
            value.as_object().and_then(|fields| fields.keys().find(|key| !["format", "entries"].contains(&key.as_str())))
        {
            return Err(format!("`{key}` is no field of an archive; allowed: `format`, `entries`"));
        }
        let entries = value.get("entries").and_then(Value::as_array).ok_or("an archive has `entries`")?;
        Ok(Archive { format, entries: entries.iter().map(Entry::from_value).collect::<Result<_, _>>()? })
    }

    /// Packs it.
    pub(crate) fn build(&self, scope: &Scope<'_>) -> Result<Vec<u8>, String> {
        match self.format {
            Format::Zip => self.zip(scope),
            Format::Tar => self.tar(scope),
            Format::TarGz => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::default());
                packed.write_all(&self.tar(scope)?).and_then(|()| packed.finish()).map_err(|error| error.to_string())
            }
        }
    }

    fn zip(&self, scope: &Scope<'_>) -> Result<Vec<u8>, String> {
        let told = |error: zip::result::ZipError| error.to_string();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for entry in &self.entries {
            let name = scope.words.fill(&entry.name);
            let options = SimpleFileOptions::default().unix_permissions(entry.mode);
            match &entry.content {
                Content::Bytes(value) => {
                    writer.start_file(name, options).map_err(told)?;
                    writer.write_all(&scope.bytes(value)?).map_err(|error| error.to_string())?;
                }
                Content::Zeros(count) => {
                    writer.start_file(name, options).map_err(told)?;
                    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), *count), &mut writer)
                        .map_err(|error| error.to_string())?;
                }
                Content::Link(target) => writer.add_symlink(name, scope.words.fill(target), options).map_err(told)?,
                Content::HardLink(_) => return Err("a zip file has no hard links".to_owned()),
                Content::Dir => writer.add_directory(name, options).map_err(told)?,
            }
        }
        Ok(writer.finish().map_err(told)?.into_inner())
    }

    fn tar(&self, scope: &Scope<'_>) -> Result<Vec<u8>, String> {
        let mut tar = Vec::new();
        for entry in &self.entries {
            let mut name = scope.words.fill(&entry.name);
            let (kind, link, bytes) = match &entry.content {
                Content::Bytes(value) => (b'0', String::new(), scope.bytes(value)?),
                Content::Zeros(count) => {
                    (b'0', String::new(), vec![0; usize::try_from(*count).map_err(|error| error.to_string())?])
                }
                Content::Link(target) => (b'2', scope.words.fill(target), Vec::new()),
                Content::HardLink(target) => (b'1', scope.words.fill(target), Vec::new()),
                Content::Dir => {
                    name.push('/');
                    (b'5', String::new(), Vec::new())
                }
            };
            tar.extend(tar_header(&name, &link, kind, entry.mode, bytes.len())?);
            tar.extend(&bytes);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        Ok(tar)
    }
}

impl Entry {
    fn from_value(value: &Value) -> Result<Entry, String> {
        let fields = value.as_object().ok_or("an archive's entry is a table")?;
        let name = fields.get("name").and_then(Value::as_str).ok_or("an archive's entry has a `name`")?.to_owned();
        let mut content = None;
        let mut mode = None;
        for (key, item) in fields {
            let text = || item.as_str().map(str::to_owned).ok_or(format!("`{key}` is a string"));
            let found = match key.as_str() {
                "name" => continue,
                "mode" => {
                    mode = item.as_u64().and_then(|mode| u32::try_from(mode).ok());
                    continue;
                }
                "text" => Content::Bytes(item.clone()),
                "bytes" => Content::Bytes(serde_json::json!({ "$bytes": item })),
                "zeros" => {
                    Content::Zeros(item.as_u64().filter(|count| *count <= 200 << 20).ok_or("`zeros` is a number up to 200 MiB")?)
                }
                "link" => Content::Link(text()?),
                "hardlink" => Content::HardLink(text()?),
                "dir" => Content::Dir,
                _ => {
                    return Err(format!(
                        "`{key}` is no field of an archive's entry; allowed: `name`, `text`, `bytes`, `zeros`, `link`, `hardlink`, `dir`, `mode`"
                    ));
                }
            };
            if content.replace(found).is_some() {
                return Err(format!("the entry `{name}` has two contents"));
            }
        }
        let content = content
            .ok_or_else(|| format!("the entry `{name}` has no content: `text`, `bytes`, `zeros`, `link`, `hardlink` or `dir`"))?;
        let mode = mode.unwrap_or(if matches!(content, Content::Dir) { 0o755 } else { 0o644 });
        Ok(Entry { name, content, mode })
    }
}

/// A ustar header (POSIX.1-1988): name 0, mode 100, uid 108, gid 116, size 124, mtime 136, checksum 148, type 156, link 157, magic 257.
fn tar_header(name: &str, link: &str, kind: u8, mode: u32, size: usize) -> Result<Vec<u8>, String> {
    let mut header = vec![0_u8; 512];
    let mut put = |at: usize, width: usize, text: &[u8]| match header.get_mut(at..at + text.len()).filter(|_| text.len() <= width)
    {
        Some(place) => {
            place.copy_from_slice(text);
            Ok(())
        }
        None => Err(format!("`{}` is too long for a tar header", String::from_utf8_lossy(text))),
    };
    put(0, 100, name.as_bytes())?;
    put(100, 8, format!("{mode:07o}\0").as_bytes())?;
    put(108, 8, b"0000000\0")?;
    put(116, 8, b"0000000\0")?;
    put(124, 12, format!("{size:011o}\0").as_bytes())?;
    put(136, 12, format!("{:011o}\0", 1_700_000_000).as_bytes())?;
    put(148, 8, b"        ")?;
    put(156, 1, &[kind])?;
    put(157, 100, link.as_bytes())?;
    put(257, 8, b"ustar\x0000")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = header.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::words::Words;

    fn build(value: Value) -> Result<Vec<u8>, String> {
        let words = Words::new(1);
        let attachments = BTreeMap::new();
        Archive::from_value(&value)?.build(&Scope { words: &words, attachments: &attachments })
    }

    #[test]
    fn a_zip_keeps_hostile_names_and_is_short_for_a_bomb() {
        let bytes = build(
            json!({ "format": "zip", "entries": [{ "name": "../x", "text": "a" }, { "name": "big", "zeros": 10_000_000 }] }),
        )
        .unwrap();
        assert!(bytes.len() < 40_000, "{}", bytes.len());
        let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.file_names().collect::<Vec<_>>(), ["../x", "big"]);
    }

    #[test]
    fn a_tar_has_whole_blocks_and_a_true_checksum() {
        let bytes =
            build(json!({ "format": "tar", "entries": [{ "name": "l", "link": "../p" }, { "name": "l/x", "text": "abc" }] }))
                .unwrap();
        assert_eq!(bytes.len(), 512 * 3 + 1024);
        let sum: u32 =
            bytes[..512].iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        assert_eq!(&bytes[148..154], format!("{sum:06o}").as_bytes());
    }

    #[test]
    fn mistakes_are_told() {
        assert!(build(json!({ "format": "rar", "entries": [] })).is_err());
        assert!(build(json!({ "format": "tar", "entries": [{ "name": "a" }] })).unwrap_err().contains("no content"));
        assert!(build(json!({ "format": "tar", "entries": [{ "name": "a", "txt": "" }] })).unwrap_err().contains("txt"));
    }
}
