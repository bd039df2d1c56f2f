//! Numbers and lists as people read them.

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 visit`, `2 visits`, `no visits`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", grouped(number)),
    }
}

/// `a`, `a and b`, `a, b, and c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_read_as_people_write_them() {
        let all = [0, 7, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "7", "999", "1,000", "1,234,567"]);
        let visits = [0, 1, 4_210].map(|number| counted(number, "visit"));
        assert_eq!(visits, ["no visits", "1 visit", "4,210 visits"]);
        assert_eq!(listed(&visits), "no visits, 1 visit, and 4,210 visits");
        assert_eq!(listed(&visits[..2]), "no visits and 1 visit");
    }
}
