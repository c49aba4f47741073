//! Instructions that a state_dict has no use for, but what lies beside it may: schedulers, arguments.

use super::{Machine, PickleError};
use crate::pytorch::value::Value;

impl Machine<'_> {
    /// Follows one, whose code is at `position`.
    pub(super) fn rare(&mut self, code: u8, position: usize) -> Result<(), PickleError> {
        match code {
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.since_mark()?;
            }
            b'2' => {
                let top = self.stack.last().ok_or(PickleError::Stack(position))?.clone();
                // A copy of what still grows is not followed.
                let top = if top.depth() > 1 { Value::Opaque } else { top };
                self.stack.push(top);
            }
            b'I' | b'L' => {
                let line = self.line()?;
                let number = line.trim_end_matches('L').parse();
                self.stack.push(number.map_or(Value::Opaque, Value::Int));
            }
            b'F' | b'S' | b'P' => {
                self.line()?;
                self.stack.push(Value::Opaque);
            }
            b'V' => {
                let text = self.line()?;
                self.stack.push(Value::Text(text.into()));
            }
            b'p' => {
                let index = self.index()?;
                self.remember(index)?;
            }
            b'g' => {
                let index = self.index()?;
                let value = self.memo.get(&index).cloned();
                self.stack.push(value.ok_or(PickleError::Stack(position))?);
            }
            b'd' => {
                let items = self.since_mark()?;
                self.stack.push(Value::Dict(Vec::new(), 1));
                self.set(items)?;
            }
            b'l' => {
                let items = self.since_mark()?;
                self.stack.push(Value::List(Vec::new(), 1));
                self.extend(items)?;
            }
            // Sets.
            0x8f => self.stack.push(Value::Opaque),
            0x90 => {
                self.since_mark()?;
            }
            0x91 => {
                self.since_mark()?;
                self.stack.push(Value::Opaque);
            }
            0x8b => {
                let length = self.number(4)? as usize;
                self.skip(length)?;
                self.stack.push(Value::Opaque);
            }
            // Long texts and bytes.
            0x8d | 0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.array::<8>()?);
                let length = usize::try_from(length).map_err(|_| PickleError::End(position))?;
                self.skip(length)?;
                self.stack.push(Value::Opaque);
            }
            0x82..=0x84 => {
                self.skip(1 << (code - 0x82))?;
                self.stack.push(Value::Opaque);
            }
            _ => return Err(PickleError::Instruction { code, position }),
        }
        Ok(())
    }

    /// The number of a remembered value, as early protocols write it.
    fn index(&mut self) -> Result<u32, PickleError> {
        let position = self.position;
        self.line()?.parse().map_err(|_| PickleError::Stack(position))
    }
}
