//! Tables as spreadsheets and shops write them (RFC 4180, and its cousins with semicolons or tabs): each row becomes
//! the object that the same record would be in JSON, so that both are read by the same functions.

use serde_json::{Map, Value};

/// Reads the rows under the first one, which names the columns. A name is told in small letters, with `_` for what
/// is no letter and no digit: `License Key` is `license_key`.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("the file is not UTF-8: line {line}")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = rows(text, separator(text))?.into_iter();
    let Some((_, header)) = rows.next() else { return Err("the file is empty".to_owned()) };
    let names: Vec<String> = header.iter().map(|name| column(name)).collect();
    rows.filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()))
        .map(|(line, row)| {
            if row.len() > names.len() {
                return Err(format!("line {line} has {} cells, and the first has {} names", row.len(), names.len()));
            }
            let cells = row.into_iter().map(Value::String);
            Ok(Value::Object(names.iter().cloned().zip(cells).collect::<Map<_, _>>()))
        })
        .collect()
}

fn column(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

/// What stands between the cells: of comma, semicolon and tab the one that the first line has most of.
fn separator(text: &str) -> char {
    let first = text.split(['\n', '\r']).next().unwrap_or_default();
    let count = |wanted: &char| first.matches(*wanted).count();
    [',', ';', '\t'].into_iter().rev().max_by_key(count).unwrap_or(',')
}

/// Every row, with the line that it begins on.
fn rows(text: &str, separator: char) -> Result<Vec<(usize, Vec<String>)>, String> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut began, mut quoted_since) = (1, 1, None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        // Some spreadsheets end lines with a carriage return alone.
        let letter = match letter {
            '\r' if quoted_since.is_none() && letters.peek() != Some(&'\n') => '\n',
            other => other,
        };
        line += usize::from(letter == '\n');
        if quoted_since.is_some() {
            match letter {
                '"' if letters.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => quoted_since = None,
                _ => cell.push(letter),
            }
        } else if letter == '"' && cell.is_empty() {
            quoted_since = Some(line);
        } else if letter == separator {
            row.push(std::mem::take(&mut cell));
        } else if letter == '\n' {
            row.push(std::mem::take(&mut cell));
            rows.push((began, std::mem::take(&mut row)));
            began = line;
        } else if letter != '\r' {
            cell.push(letter);
        }
    }
    if let Some(line) = quoted_since {
        return Err(format!("a quotation mark on line {line} is never closed"));
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((began, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_read_as_the_objects_that_it_is() {
        let two = json!([{ "license_key": "a", "e_mail": "b, \"c\"\nd" }, { "license_key": "e", "e_mail": "" }]);
        #[rustfmt::skip]
        let table: &[(&str, Result<Value, &str>)] = &[
            ("License Key,E-Mail\na,\"b, \"\"c\"\"\nd\"\ne,\n", Ok(two.clone())),
            ("\u{feff}\"License key\";\"E-mail\"\r\na;\"b, \"\"c\"\"\nd\"\r\n\r\ne;\r\n", Ok(two.clone())),
            ("license_key\te mail\na\t\"b, \"\"c\"\"\nd\"\ne\t", Ok(two)),
            ("key\na\n\nb", Ok(json!([{ "key": "a" }, { "key": "b" }]))),
            ("a,b\r1,2\r3,4", Ok(json!([{ "a": "1", "b": "2" }, { "a": "3", "b": "4" }]))),
            ("a;b\r1,2\r3,4;5;6", Err("line 3 has 3 cells, and the first has 2 names")),
            ("", Err("the file is empty")),
            ("a,b\n1,2\n1,2,3", Err("line 3 has 3 cells, and the first has 2 names")),
            ("a,b\n1,\"2\n3,4", Err("a quotation mark on line 2 is never closed")),
        ];
        for (text, expected) in table {
            let expected = expected.clone().map_err(str::to_owned);
            assert_eq!(read(text.as_bytes()).map(Value::Array), expected, "{text}");
        }
        assert_eq!(read(b"a\nb\n\xff"), Err("the file is not UTF-8: line 3".to_owned()));
    }
}
