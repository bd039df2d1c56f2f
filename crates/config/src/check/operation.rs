//! State, admin and log.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use crate::checked::{Access, Admin, Log, LogTarget, State};
use crate::raw;
use crate::read::{At, Place, Reader};

/// Bytes of a Unix socket's path without the closing zero (`sun_path` of
/// unix(7) has 108).
const SOCKET_PATH_SIZE_MAX: usize = 107;

/// Shorter, and more keys would be needed than may be alive at once.
const ROTATE_MIN: Duration = Duration::from_secs(5 * 24 * 60 * 60);

pub(super) fn state(raw: raw::State, reader: &mut Reader<'_>) -> State {
    let raw::Store::Embedded = raw.store.value;
    let At {
        place,
        value: rotate,
    } = raw.rotate;
    let rotate = rotate.0.map(|period| period.0);
    if rotate.is_some_and(|period| period < ROTATE_MIN) {
        reader.report.error(
            &place,
            "is less than five days: what an older key signed is good for a month, and only \
             eight keys are kept",
            "write \"5d\" or more; `forebay keys rotate` makes a new key at once",
        );
    }
    State {
        rotate,
        directory: raw.directory.value.under(reader.base),
        keys: raw.keys.value.into_iter().map(|key| key.value.0).collect(),
    }
}

pub(super) fn admin(raw: At<raw::Admin>, state: &State, reader: &mut Reader<'_>) -> Admin {
    let At { place, value: raw } = raw;
    let (place, socket) = match raw.socket {
        Some(At { place, value }) => (place, value.0.map(|path| path.under(reader.base))),
        None => (
            place.child("socket", place.span.clone()),
            Some(state.directory.join("admin.sock")),
        ),
    };
    if let Some(socket) = &socket {
        check_length(&place, socket, reader);
    }
    let token = raw.token.map(|token| {
        if raw.address.value.0.is_none() {
            let what = "is shown to nobody: admin.address is \"none\"";
            reader.report.warning(
                &token.place,
                what,
                "give an address, or leave the token out",
            );
        }
        token.value.0
    });
    Admin {
        address: raw.address.value.0,
        socket,
        token,
    }
}

fn check_length(place: &Place, socket: &Path, reader: &mut Reader<'_>) {
    let size = socket.as_os_str().as_bytes().len();
    if size > SOCKET_PATH_SIZE_MAX {
        let what = format!(
            "is {size} bytes long with its directory, and a socket's path may have \
             {SOCKET_PATH_SIZE_MAX}"
        );
        reader
            .report
            .error(place, what, "write a shorter path, or \"none\"");
    }
}

pub(super) fn log(raw: &raw::Log, reader: &Reader<'_>) -> Log {
    let access = raw.access.value.0.as_ref().map(|access| {
        let raw::Format::Json = access.format.value;
        let to = match &access.to.value {
            LogTarget::Stdout => LogTarget::Stdout,
            LogTarget::File(path) => LogTarget::File(reader.base.join(path)),
        };
        Access { to }
    });
    Log {
        access,
        level: raw.level.value,
    }
}
