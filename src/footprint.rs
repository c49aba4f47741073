//! What a network takes of a device. Tables, Pareto figures and choices name these numbers alike, and each
//! has one source: [`Architecture::footprint`](crate::architecture::Architecture::footprint), but for the
//! latency, which a machine has and not a network.

/// One of the things that a network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footprint {
    /// Trained parameters.
    Parameters,
    /// Multiply-adds of one image's forward pass.
    MultiplyAdds,
    /// Bytes of its weights as safetensors.
    Size,
    /// Bytes of its graph in 8 bits.
    SizeInt8,
    /// Time for one image on one thread of this machine's CPU, in milliseconds.
    Latency,
}

impl Footprint {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::Parameters, Self::MultiplyAdds, Self::Size, Self::SizeInt8, Self::Latency];

    /// As it is written in a pipeline.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply_adds",
            Self::Size => "size",
            Self::SizeInt8 => "size_int8",
            Self::Latency => "latency",
        }
    }

    /// Above a column.
    pub fn head(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply-adds",
            Self::Size => "size kB",
            Self::SizeInt8 => "int8 kB",
            Self::Latency => "latency ms",
        }
    }

    /// In sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply-adds",
            Self::Size => "size",
            Self::SizeInt8 => "size in int8",
            Self::Latency => "latency",
        }
    }

    /// Along an axis.
    pub fn axis(self) -> String {
        let unit = match self {
            Self::Parameters | Self::MultiplyAdds => "",
            Self::Size | Self::SizeInt8 => " (kB)",
            Self::Latency => " (ms)",
        };
        format!("{}{unit}", self.title())
    }

    /// A number of it as tables and figures show it: bytes as kB.
    pub fn shown(self, number: f64) -> f64 {
        match self {
            Self::Size | Self::SizeInt8 => number / 1e3,
            Self::Parameters | Self::MultiplyAdds | Self::Latency => number,
        }
    }

    /// Whether it is the network's own, wherever it runs.
    pub fn is_of_network(self) -> bool {
        self != Self::Latency
    }
}
