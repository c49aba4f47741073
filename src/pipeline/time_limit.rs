//! A job's time limit, as Slurm writes it.

use std::{fmt, str::FromStr};

/// Seconds that a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeLimit(pub u64);

/// Text that is no time limit.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time limit")]
pub struct TimeLimitError(String);

/// `90` (minutes), `90:00`, `1:30:00`, `1-12`, `1-12:00`, `1-12:00:00`: sbatch's own forms.
impl FromStr for TimeLimit {
    type Err = TimeLimitError;

    fn from_str(text: &str) -> Result<Self, TimeLimitError> {
        let wrong = || TimeLimitError(text.to_owned());
        let (days, rest) = match text.split_once('-') {
            Some((days, rest)) => (Some(days), rest),
            None => (None, text),
        };
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u64>().ok().filter(|&number| digits && number < 1_000_000_000)
        };
        let parts: Option<Vec<u64>> = rest.split(':').map(number).collect();
        let [hours, minutes, seconds] = match (days, parts.ok_or_else(wrong)?.as_slice()) {
            (Some(_), &[hours]) => [hours, 0, 0],
            (Some(_), &[hours, minutes]) => [hours, minutes, 0],
            (None, &[minutes]) => [0, minutes, 0],
            (None, &[minutes, seconds]) => [0, minutes, seconds],
            (_, &[hours, minutes, seconds]) => [hours, minutes, seconds],
            _ => return Err(wrong()),
        };
        let days = days.map_or(Some(0), number).ok_or_else(wrong)?;
        let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
        if seconds == 0 { Err(wrong()) } else { Ok(Self(seconds)) }
    }
}

/// `1-12:00:00`, `1:30:00`.
impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, seconds) = (self.0 / 60, self.0 % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        match (hours / 24, hours % 24) {
            (0, hours) => write!(f, "{hours}:{minutes:02}:{seconds:02}"),
            (days, hours) => write!(f, "{days}-{hours:02}:{minutes:02}:{seconds:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TimeLimit;

    #[test]
    fn time_limits_are_read_as_sbatch_reads_them() {
        for (text, seconds, written) in [
            ("90", 5400, "1:30:00"),
            ("90:30", 5430, "1:30:30"),
            ("1:30:00", 5400, "1:30:00"),
            ("2-12", 216_000, "2-12:00:00"),
            ("1-00:30", 88_200, "1-00:30:00"),
            ("1-02:03:04", 93_784, "1-02:03:04"),
        ] {
            let limit: TimeLimit = text.parse().unwrap();
            assert_eq!((limit.0, &*limit.to_string()), (seconds, written), "{text}");
        }
        for text in ["", "0", "-1", "4h", "1:2:3:4", "1-", "1:-2", "+5", "99999999999", "1-2-3"] {
            assert!(text.parse::<TimeLimit>().is_err(), "{text}");
        }
    }
}
