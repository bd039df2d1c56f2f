//! A real tree of pages for a real web server to serve.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Pages of the tree below `index.html`.
pub const PAGES: usize = 12;
/// Size of `download.bin` in bytes.
pub const DOWNLOAD: usize = 1024 * 1024;

const STYLE: &str = "body { font: 1.1rem/1.6 sans-serif; max-width: 40rem; margin: 2rem auto }\n\
                     nav a { margin-right: 1rem }\n";

/// Writes the tree into `root`: a front page that links to a section of
/// twelve pages, which link on to each other, with a style sheet, a script
/// that says so in the title, a drawing, a form, 1 KiB of text and 1 MiB of bytes.
///
/// # Errors
/// When `root` cannot be written.
pub fn write(root: &Path) -> io::Result<()> {
    let pages = root.join("pages");
    let assets = root.join("static");
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&assets)?;
    fs::write(root.join("index.html"), page("Front", &links("pages/")))?;
    fs::write(pages.join("index.html"), page("Section", &links("")))?;
    for number in 1..=PAGES {
        let next = number % PAGES + 1;
        let body = format!("<p>This is page {number}.</p><a id=next href=\"{next}.html\">Next</a>");
        fs::write(
            pages.join(format!("{number}.html")),
            page(&format!("Page {number}"), &body),
        )?;
    }
    fs::write(assets.join("style.css"), STYLE)?;
    fs::write(
        assets.join("site.js"),
        "document.documentElement.dataset.script = 'ran';\n",
    )?;
    fs::write(assets.join("drawing.svg"), DRAWING)?;
    fs::write(root.join("1k.txt"), "0123456789abcde\n".repeat(64))?;
    fs::write(root.join("download.bin"), download())
}

/// What `download.bin` holds: no two pages of memory are alike, so that a
/// piece that is lost or moved is noticed.
#[must_use]
pub fn download() -> Vec<u8> {
    (0..DOWNLOAD as u32 / 4)
        .flat_map(u32::to_be_bytes)
        .collect()
}

const DRAWING: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"60\">\
    <path d=\"M0 40 Q30 20 60 40 T120 40 V60 H0 Z\" fill=\"#2b6cb0\"/></svg>\n";

fn links(folder: &str) -> String {
    let mut text = String::from("<nav>");
    for number in 1..=PAGES {
        // Writing to a String cannot fail.
        write!(text, "<a href=\"{folder}{number}.html\">Page {number}</a> ").ok();
    }
    text + "</nav>"
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/static/style.css\"><script src=\"/static/site.js\" defer></script>\
         </head><body><h1>{title}</h1><img src=\"/static/drawing.svg\" alt=\"Waves\">{body}\
         <form action=\"/\" method=\"get\"><label>Search <input name=\"q\"></label></form></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_tree_leads_to_a_page() {
        let root = tempfile::tempdir().unwrap();
        write(root.path()).unwrap();
        let front = fs::read_to_string(root.path().join("index.html")).unwrap();
        let links: Vec<&str> = front
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(links.len(), PAGES + 1);
        for link in links {
            assert!(
                root.path().join(link.trim_start_matches('/')).is_file(),
                "{link}"
            );
        }
        assert_eq!(
            fs::metadata(root.path().join("1k.txt")).unwrap().len(),
            1024
        );
        assert_eq!(download().len(), DOWNLOAD);
    }
}
