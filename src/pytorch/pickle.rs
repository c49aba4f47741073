//! The instructions of a pickle that build state_dicts; see Python's `pickletools` for all of them.
//!
//! Values are cheap to copy and never deep, so that no file can make this take more than a few times
//! its length: what a pickle remembers is shared, and what nests deeper than `DEEPEST` is opaque.

mod rare;

use super::value::{Value, call, object, storage};
use std::collections::HashMap;

/// A pickle that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PickleError {
    /// The bytes end inside an instruction.
    #[error("it ends at byte {0} in the middle of something")]
    End(usize),
    /// An instruction that no state_dict has.
    #[error("unknown instruction {code:#04x} at byte {position}")]
    Instruction {
        /// The byte.
        code: u8,
        /// Where.
        position: usize,
    },
    /// An instruction takes more from the stack than there is.
    #[error("an instruction at byte {0} finds nothing to work on")]
    Stack(usize),
}

struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    /// Every storage that is named, by its key; those of objects that are not followed, too.
    storages: HashMap<String, String>,
}

/// What a pickle holds.
pub(super) struct Pickled {
    pub value: Value,
    /// Bytes that it takes.
    pub length: usize,
    /// The class of each storage that it names, by the storage's key.
    pub storages: HashMap<String, String>,
}

/// Reads one pickle from the start of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Pickled, PickleError> {
    let (stack, memo, storages) = (Vec::new(), HashMap::new(), HashMap::new());
    let mut machine = Machine { bytes, position: 0, stack, memo, storages };
    let value = machine.run()?;
    Ok(Pickled { value, length: machine.position, storages: machine.storages })
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, PickleError> {
        loop {
            let position = self.position;
            let code = self.take(1)?[0];
            match code {
                b'.' => return self.pop(),
                // Protocol and frame say nothing about the value.
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                b'(' => self.stack.push(Value::Mark),
                b'}' => self.stack.push(Value::Dict(Vec::new(), 1)),
                b']' => self.stack.push(Value::List(Vec::new(), 1)),
                b')' => self.stack.push(Value::tuple(Vec::new())),
                b'N' => self.stack.push(Value::None),
                0x88 | 0x89 => self.stack.push(Value::Opaque),
                b'K' => self.int::<1>()?,
                b'M' => self.int::<2>()?,
                b'J' => {
                    let bytes = self.array::<4>()?;
                    self.stack.push(Value::Int(i32::from_le_bytes(bytes).into()));
                }
                0x8a => self.long()?,
                b'G' => {
                    self.skip(8)?;
                    self.stack.push(Value::Opaque);
                }
                b'X' => self.text(4)?,
                0x8c => self.text(1)?,
                b'U' | b'C' => self.binary(1)?,
                b'T' | b'B' => self.binary(4)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.stack.push(Value::Global(format!("{module}.{name}").into()));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (Value::Text(name), Value::Text(module)) = (name, module) else {
                        return Err(PickleError::Stack(position));
                    };
                    self.stack.push(Value::Global(format!("{module}.{name}").into()));
                }
                b'q' => self.put(1)?,
                b'r' => self.put(4)?,
                0x94 => {
                    let next = self.memo.len() as u32;
                    self.remember(next)?;
                }
                b'h' => self.get(1)?,
                b'j' => self.get(4)?,
                b't' => {
                    let items = self.since_mark()?;
                    self.stack.push(Value::tuple(items));
                }
                0x85..=0x87 => {
                    let count = usize::from(code - 0x84);
                    let from =
                        self.stack.len().checked_sub(count).ok_or(PickleError::Stack(position))?;
                    let items = self.stack.split_off(from);
                    self.stack.push(Value::tuple(items));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend(vec![item])?;
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.extend(items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(items)?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    let value = storage(id);
                    if let Value::Storage(storage) = &value {
                        self.storages.insert(storage.key.clone(), storage.kind.clone());
                    }
                    self.stack.push(value);
                }
                b'R' => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.stack.push(call(&function, &arguments));
                }
                // NEWOBJ makes an object of a class, BUILD gives one its attributes.
                0x81 => {
                    self.pop()?;
                    let class = self.pop()?;
                    self.stack.push(object(&class));
                }
                0x92 => {
                    self.pop()?;
                    self.pop()?;
                    let class = self.pop()?;
                    self.stack.push(object(&class));
                }
                b'o' => {
                    let items = self.since_mark()?;
                    self.stack.push(items.first().map_or(Value::Opaque, object));
                }
                b'i' => {
                    let class = format!("{}.{}", self.line()?, self.line()?);
                    self.since_mark()?;
                    self.stack.push(Value::Object(class.into()));
                }
                b'b' => {
                    self.pop()?;
                }
                _ => self.rare(code, position)?,
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&[u8], PickleError> {
        let end = self.position.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(PickleError::End(self.bytes.len()))?;
        let found = &self.bytes[self.position..end];
        self.position = end;
        Ok(found)
    }

    fn skip(&mut self, count: usize) -> Result<(), PickleError> {
        self.take(count).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// An unsigned number of `width` bytes, at most 4.
    fn number(&mut self, width: usize) -> Result<u32, PickleError> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    fn int<const N: usize>(&mut self) -> Result<(), PickleError> {
        let number = self.number(N)?;
        self.stack.push(Value::Int(number.into()));
        Ok(())
    }

    /// A number of any width; one that does not fit 64 bits is no size of a tensor.
    fn long(&mut self) -> Result<(), PickleError> {
        let width = self.number(1)? as usize;
        let bytes = self.take(width)?;
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        let value = if width <= 8 {
            wide[..width].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Opaque
        };
        self.stack.push(value);
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), PickleError> {
        let length = self.number(width)? as usize;
        let text = String::from_utf8_lossy(self.take(length)?).into();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn binary(&mut self, width: usize) -> Result<(), PickleError> {
        // Python 2 wrote its texts as bytes.
        self.text(width)
    }

    fn line(&mut self) -> Result<String, PickleError> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        let length = length.ok_or(PickleError::End(self.bytes.len()))?;
        let text = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.position += length + 1;
        Ok(text)
    }

    fn pop(&mut self) -> Result<Value, PickleError> {
        self.stack.pop().ok_or(PickleError::Stack(self.position))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, PickleError> {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark);
        let mark = mark.ok_or(PickleError::Stack(self.position))?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn put(&mut self, width: usize) -> Result<(), PickleError> {
        let index = self.number(width)?;
        self.remember(index)
    }

    /// A container that still grows is remembered only while it is empty: state_dicts never refer
    /// to one again.
    fn remember(&mut self, index: u32) -> Result<(), PickleError> {
        let value = match self.stack.last().ok_or(PickleError::Stack(self.position))? {
            Value::Dict(entries, _) if !entries.is_empty() => Value::Opaque,
            Value::List(items, _) if !items.is_empty() => Value::Opaque,
            value => value.clone(),
        };
        self.memo.insert(index, value);
        Ok(())
    }

    fn get(&mut self, width: usize) -> Result<(), PickleError> {
        let index = self.number(width)?;
        let value = self.memo.get(&index).cloned().ok_or(PickleError::Stack(self.position))?;
        self.stack.push(value);
        Ok(())
    }

    fn extend(&mut self, items: Vec<Value>) -> Result<(), PickleError> {
        match self.stack.last_mut() {
            Some(Value::List(list, depth)) => {
                for item in items.into_iter().map(Value::shallow) {
                    *depth = (*depth).max(item.depth() + 1);
                    list.push(item);
                }
            }
            Some(_) => {}
            None => return Err(PickleError::Stack(self.position)),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Value>) -> Result<(), PickleError> {
        match self.stack.last_mut() {
            Some(Value::Dict(entries, depth)) => {
                let mut items = items.into_iter().map(Value::shallow);
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    *depth = (*depth).max(key.depth().max(value.depth()) + 1);
                    entries.push((key, value));
                }
            }
            Some(_) => {}
            None => return Err(PickleError::Stack(self.position)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::value::DEEPEST, *};

    #[test]
    fn nesting_and_sharing_stay_small() {
        // A tuple of the tuple before it, twice, 2,000 times: 2^2000 leaves if it were written out.
        let mut bytes = b")".to_vec();
        for _ in 0..2000 {
            bytes.extend([b'q', 0, b'h', 0, 0x86]);
        }
        bytes.push(b'.');
        let Pickled { value, length, .. } = read(&bytes).unwrap();
        assert!(length == bytes.len() && value.depth() <= DEEPEST);
    }

    #[test]
    fn a_call_of_anything_else_is_opaque() {
        let bytes = b"cos\nsystem\nX\x04\x00\x00\x00true\x85R.";
        let Pickled { value, length, .. } = read(bytes).unwrap();
        assert_eq!((value, length), (Value::Opaque, bytes.len()));
    }
}
