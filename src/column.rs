//! Columns that a table may be asked for.

use crate::{
    footprint::Footprint,
    metric::{METRICS, Metric, Unit},
};

/// A column of a table, beside its first one and those of quoted values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    /// The network's name.
    Net,
    /// What the network takes of a device.
    Footprint(Footprint),
    /// Images that go through it in a second, one at a time: the inverse of the latency.
    ImagesPerSecond,
    /// A metric, mean and standard deviation over the seeds.
    Metric(&'static Metric),
    /// The accuracy of each class: as many columns of the next kind.
    PerClass,
    /// The accuracy of the images of one class, by its number.
    Class(usize),
    /// The class that is most often taken for another.
    Confusion,
    /// TAKD's difference from BLKD, with its interval; in tables that compare them alone.
    Delta,
    /// How many seeds are measured.
    Seeds,
    /// Wall time of one training, mean over the seeds.
    Seconds,
    /// The same by the steps of its optimizer, in milliseconds.
    Step,
    /// That over the one of the table's first row that learns the same network by plain `kd`.
    Cost,
}

impl Column {
    /// Every column, in the order in which they are listed.
    pub fn all() -> Vec<Self> {
        let metrics = METRICS.into_iter().map(Self::Metric);
        std::iter::once(Self::Net)
            .chain(Footprint::ALL.map(Self::Footprint))
            .chain([Self::ImagesPerSecond])
            .chain(metrics)
            .chain([Self::PerClass, Self::Confusion])
            .chain([Self::Delta, Self::Seeds, Self::Seconds, Self::Step, Self::Cost])
            .collect()
    }

    /// Those of a table that asks for none.
    pub fn usual() -> Vec<Self> {
        let usual = ["net", "parameters", "top1", "delta", "seeds", "seconds"];
        Self::all().into_iter().filter(|column| usual.contains(&column.name())).collect()
    }

    /// As it is written in a pipeline.
    pub fn name(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Footprint(what) => what.name(),
            Self::ImagesPerSecond => "images_per_second",
            Self::Metric(metric) => metric.name,
            Self::PerClass => "per_class",
            Self::Class(_) => "class",
            Self::Confusion => "confusion",
            Self::Delta => "delta",
            Self::Seeds => "seeds",
            Self::Seconds => "seconds",
            Self::Step => "step",
            Self::Cost => "cost",
        }
    }

    /// Above the column; `classes` are the names of classes, where they have any.
    pub fn head(self, classes: &[String]) -> String {
        match self {
            Self::PerClass => "accuracy by class".to_owned(),
            Self::Class(number) => format!("{} %", class_name(classes, number)),
            Self::Confusion => "most often mistaken".to_owned(),
            Self::Net | Self::Seeds => self.name().to_owned(),
            Self::Footprint(what) => what.head().to_owned(),
            Self::ImagesPerSecond => "images/s".to_owned(),
            Self::Metric(metric) if metric.name == "top1" => "accuracy %".to_owned(),
            Self::Metric(metric) if metric.unit == Unit::Share => format!("{} %", metric.title),
            Self::Metric(metric) => metric.title.to_owned(),
            Self::Delta => "Δ [95 % CI]".to_owned(),
            Self::Seconds => "training s".to_owned(),
            Self::Step => "ms a step".to_owned(),
            Self::Cost => "step / KD's".to_owned(),
        }
    }

    /// What of a network's footprint it shows.
    pub fn footprint(self) -> Option<Footprint> {
        match self {
            Self::Footprint(what) => Some(what),
            Self::ImagesPerSecond => Some(Footprint::Latency),
            _ => None,
        }
    }

    /// Whether it holds words; others hold numbers.
    pub fn is_words(self) -> bool {
        matches!(self, Self::Net | Self::Confusion)
    }

    /// Whether it needs to know which class was taken for which.
    pub fn counts_answers(self) -> bool {
        matches!(self, Self::PerClass | Self::Class(_) | Self::Confusion)
    }
}

/// What a class is called.
pub fn class_name(classes: &[String], number: usize) -> String {
    classes.get(number).cloned().unwrap_or_else(|| format!("class {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_the_usual_ones_exist() {
        let mut names: Vec<&str> = Column::all().into_iter().map(Column::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), Column::usual().len()), (count, 6));
    }
}
