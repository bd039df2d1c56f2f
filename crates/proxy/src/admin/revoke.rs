//! `{"revoke": …}` of a change to a room: who is meant, and the change itself.

use std::sync::Arc;

use forebay_admission::ledger::Whom;

use crate::live::Live;

/// Reads a reference as people are shown it, `0123-4567`, or the whole id of a pass, sixteen
/// hexadecimal digits; dashes and case do not matter.
pub(super) fn whom(text: &str) -> Result<Whom, String> {
    const WRITE: &str = "revoke is the reference that the visitor reads out, such as \
                         \"0123-4567\", or the sixteen digits of a pass's id";
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(WRITE.to_owned());
    }
    let found = match digits.len() {
        8 => u32::from_str_radix(&digits, 16).ok().map(Whom::Reference),
        16 => u64::from_str_radix(&digits, 16).ok().map(Whom::Pass),
        _ => None,
    };
    found.ok_or_else(|| WRITE.to_owned())
}

/// Revokes, and is in the file when it returns. The error says what the change lacks.
pub(super) async fn revoke(
    live: &Arc<Live>,
    room: &str,
    whom: Whom,
    by: &str,
) -> Result<(), String> {
    let desk = live.desk(room)?;
    desk.register
        .revoke(whom, live.clock.wall(live.clock.now()));
    tracing::info!(by, room, ?whom, "revoked");
    let saving = Arc::clone(&desk);
    let saved = tokio::task::spawn_blocking(move || saving.register.save()).await;
    match saved {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            live.metrics.process().store_errors.inc();
            tracing::error!(room, %error, "revoked in memory only: cannot save");
        }
        Err(error) => tracing::error!(room, %error, "the save broke off"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_shown_and_as_people_type_it() {
        for (text, expected) in [
            ("0123-ABCD", Some(Whom::Reference(0x0123_abcd))),
            ("0123abcd", Some(Whom::Reference(0x0123_abcd))),
            (" 0123 - abcd ", Some(Whom::Reference(0x0123_abcd))),
            ("0123456789abcdef", Some(Whom::Pass(0x0123_4567_89ab_cdef))),
            ("0123-456", None),
            ("0123-45678", None),
            ("0123-ABCG", None),
            ("+123-ABCD", None),
            ("", None),
        ] {
            assert_eq!(whom(text).ok(), expected, "{text:?}");
        }
    }
}
