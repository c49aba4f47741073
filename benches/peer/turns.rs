//! What turns gave, as numbers and as lines.

use serde::Serialize;

/// Seconds of some turns.
#[derive(Clone, Serialize)]
pub struct Turns(pub Vec<f64>);

impl Turns {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
    }

    /// `work` a second: the median, and the least and the most.
    pub fn rate(&self, work: f64) -> String {
        let sorted = self.sorted();
        let (least, most) = (work / sorted[sorted.len() - 1], work / sorted[0]);
        format!("{:.0} ({least:.0} to {most:.0})", work / self.median())
    }

    /// Seconds: the median, and the least and the most.
    pub fn seconds(&self) -> String {
        let sorted = self.sorted();
        format!("{:.1} ({:.1} to {:.1})", self.median(), sorted[0], sorted[sorted.len() - 1])
    }
}

/// One comparison.
#[derive(Serialize)]
pub struct Row {
    pub what: String,
    /// Seconds of each of takd's turns.
    pub takd: Turns,
    /// Seconds of each of PyTorch's turns, by memory layout.
    pub torch: Vec<(String, Turns)>,
    /// How many times PyTorch's best median takd's is.
    pub ratio: f64,
    /// The part of the peak that takd's median reaches, counted by the direct method: Winograd's can
    /// pass 1.
    pub of_peak: Option<f64>,
    /// Peak resident memory in bytes, takd's and PyTorch's.
    pub peak: Option<[u64; 2]>,
}

impl Row {
    pub fn new(what: &str, takd: Turns, torch: Vec<(String, Turns)>) -> Self {
        let best = torch.iter().map(|(_, turns)| turns.median()).fold(f64::INFINITY, f64::min);
        Self {
            what: what.to_owned(),
            ratio: best / takd.median(),
            takd,
            torch,
            of_peak: None,
            peak: None,
        }
    }
}
