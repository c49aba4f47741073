//! Networks that learn together: whichever of them is asked for leaves all.

use super::{moment::Trainee, runner::Job};
use crate::{executor::StepError, key::KeyInputs, pipeline::Mutual, training::Trained};

impl Job<'_> {
    /// Writes the entries of the networks that learned beside `inputs`, unless they are there or another
    /// process makes them.
    pub(super) fn keep_peers(
        &self,
        mutual: &Mutual,
        inputs: &KeyInputs,
        peers: &[Trained],
        trainee: Trainee,
        seconds: f64,
    ) -> Result<(), StepError> {
        let all = inputs.together().into_iter().enumerate();
        let others = all.filter(|(place, _)| *place != mutual.place);
        for ((place, inputs), trained) in others.zip(peers) {
            let Some(lock) = self.unmade(&inputs)? else { continue };
            let seed = self.name.rsplit_once('@').map_or("", |(_, seed)| seed);
            let name = format!("{}@{seed}", mutual.names[place]);
            let parameters = mutual.nets[place].parameters();
            let trainee = Trainee { parameters, ..trainee };
            self.commit_network(&name, &lock, &inputs, trained, trainee, seconds)?;
        }
        Ok(())
    }
}
