//! Filling in a form: its action and its token are taken from the page.

use super::ask::Ask;

/// The post of the form in `page`, if there is one.
pub(super) fn filled(page: &[u8]) -> Option<Ask> {
    let page = std::str::from_utf8(page).ok()?;
    let (_before, form) = page.split_once("<form method=\"post\" action=\"")?;
    let (action, rest) = form.split_once('"')?;
    let token = rest
        .split_once("name=\"token\" value=\"")
        .and_then(|(_before, value)| value.split_once('"'))
        .map_or("", |(token, _rest)| token);
    Some(Ask::post(
        action,
        format!("token={token}&name=A+Visitor&answer=yes"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_page_is_posted_where_and_with_what_it_says() {
        let page = b"<h1>x</h1><form method=\"post\" action=\"/apply/2\"><input type=\"hidden\" \
            name=\"token\" value=\"0f\"></form>";
        let ask = Ask::post("/apply/2", "token=0f&name=A+Visitor&answer=yes".to_owned());
        assert_eq!(filled(page), Some(ask));
        assert_eq!(filled(b"<h1>Thank you</h1>"), None);
    }
}
