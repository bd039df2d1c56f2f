//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A load-shedding reverse proxy with a virtual waiting room.
#[derive(Debug, Parser)]
#[command(name = "forebay", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve, until SIGTERM or SIGINT (drain) or a second one (exit at once); SIGHUP reloads.
    Run {
        /// The configuration.
        #[arg(long, default_value = "forebay.toml")]
        config: PathBuf,
    },
    /// Read a configuration and name every problem in it: 0 fine, 1 problems.
    Check {
        /// The configuration.
        file: PathBuf,
        /// Warnings are problems too.
        #[arg(long)]
        strict: bool,
    },
    /// What may stand in a configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a commented first configuration.
    Init {
        /// The origin, such as http://127.0.0.1:3000.
        #[arg(long)]
        origin: String,
    },
    /// Show what happens to a small portal under a surge, bare and behind Forebay.
    Demo(Demo),
    /// Read the configuration of a running Forebay again.
    Reload {
        #[command(flatten)]
        at: At,
    },
    /// Stop a running Forebay gently.
    Drain {
        #[command(flatten)]
        at: At,
    },
    /// Look at a room of a running Forebay, or change it.
    Room {
        /// The room's name; `main` is the implied one.
        name: String,
        /// What to do.
        #[command(subcommand)]
        action: RoomAction,
        #[command(flatten)]
        at: At,
    },
    /// The keys of tickets and passes of a running Forebay.
    Keys {
        /// What to do.
        #[command(subcommand)]
        action: KeysAction,
        #[command(flatten)]
        at: At,
    },
    /// 0 when a running Forebay is ready, 1 when not.
    Healthcheck {
        #[command(flatten)]
        at: At,
    },
}

/// What may stand in a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// As JSON schema.
    Schema,
    /// As a Markdown table.
    Reference,
}

/// What to do with the keys.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// Sign with a new key from now on. Nobody who waits or is inside notices.
    Rotate {
        /// The former keys end at once, because somebody else may have them. Everybody loses
        /// the place in line, or the right to be inside, and begins anew.
        #[arg(long)]
        distrust: bool,
    },
}

/// What to do with a room.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RoomAction {
    /// Say how it stands.
    Status,
    /// Open and close by itself.
    Auto,
    /// Let nobody new in.
    Hold,
    /// Give everybody a place in line.
    QueueAll,
    /// Let nobody through, not even those who are inside; places and passes are kept.
    Maintenance,
    /// Let everybody pass.
    Off,
    /// Let in so many.
    Rate {
        /// Such as 50/s, or auto.
        rate: String,
    },
    /// Print links that invite, each for one visitor, past the line and within `invite.share`.
    Invite {
        /// How many, 1000 at most.
        #[arg(long, default_value_t = 1)]
        count: u32,
        /// How long they are good, such as 7d or 12h, 31 days at most.
        #[arg(long, default_value = "7d", value_parser = seconds)]
        valid: u64,
        /// Where the site is, such as `https://apply.example`; without it the paths are printed.
        #[arg(long, default_value = "")]
        site: String,
    },
    /// Take a visitor's place or pass back: who it was gets in line again like anybody.
    Revoke {
        /// The reference that the visitor's page shows, such as 0123-4567, or a pass's whole id.
        reference: String,
    },
    /// Check the draws of its events: that each seed is the one that was bound before the
    /// opening, and which rank the rule gives to a reference.
    VerifyDraw(Verify),
    /// Let so many be inside.
    Active {
        /// A number, or unlimited.
        visitors: String,
    },
}

/// Which draw to check; without anything, those of a running Forebay.
#[derive(Clone, Debug, Args)]
pub(crate) struct Verify {
    /// What `/__forebay/draw?room=NAME` answered, in a file; "-" is the standard input.
    #[arg(long, conflicts_with = "seed")]
    pub(crate) from: Option<PathBuf>,
    /// The seed, 64 hexadecimal digits.
    #[arg(long, requires = "commitment")]
    pub(crate) seed: Option<String>,
    /// The commitment as it was published before the opening, 64 hexadecimal digits.
    #[arg(long)]
    pub(crate) commitment: Option<String>,
    /// A whole reference, 16 hexadecimal digits: say its rank.
    #[arg(long)]
    pub(crate) ticket: Option<String>,
}

/// Which running Forebay is meant.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// Its configuration, which names its admin socket.
    #[arg(long, default_value = "forebay.toml", global = true)]
    pub(crate) config: PathBuf,
    /// Its admin socket; the configuration is not read then.
    #[arg(long, global = true)]
    pub(crate) socket: Option<PathBuf>,
}

/// How to run the demonstration.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How long it takes.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(8..=3600))]
    pub(crate) seconds: u32,
    /// Print the figures as JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a line a second instead of a picture; also when there is no terminal.
    #[arg(long)]
    pub(crate) plain: bool,
}

/// A time in whole minutes, hours or days, as seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let unit = |unit| match unit {
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(24 * 3_600),
        _ => None,
    };
    let at = text.len().saturating_sub(1);
    let parts = text.split_at_checked(at);
    let parsed = parts.and_then(|(number, name)| {
        let number: u64 = number.parse().ok()?;
        number.checked_mul(unit(name)?)
    });
    parsed.ok_or_else(|| "write one such as 7d, 12h or 30m".to_owned())
}
