//! What pickles build, as far as weights need it.

use std::rc::Rc;

/// What a pickle builds, as far as weights need it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Int(i64),
    Text(Rc<str>),
    Tuple(Rc<[Value]>, Depth),
    List(Vec<Value>, Depth),
    Dict(Vec<(Value, Value)>, Depth),
    /// A function or class, by module and name; never called.
    Global(Rc<str>),
    /// A tensor's numbers.
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
    /// An object of a class, by module and name; its attributes are not followed.
    Object(Rc<str>),
    /// Anything else.
    Opaque,
    /// Where a tuple, list or dictionary begins on the stack.
    Mark,
}

/// Containers inside a container.
pub(super) type Depth = u8;

/// Deepest nesting that is kept; a state_dict inside a checkpoint has a depth of 2.
pub(super) const DEEPEST: Depth = 16;

impl Value {
    pub fn depth(&self) -> Depth {
        match self {
            Self::Tuple(_, depth) | Self::List(_, depth) | Self::Dict(_, depth) => *depth,
            _ => 0,
        }
    }

    /// The value, if it may still go into a container.
    pub fn shallow(self) -> Self {
        if self.depth() < DEEPEST { self } else { Self::Opaque }
    }

    pub fn tuple(items: Vec<Self>) -> Self {
        let items: Rc<[Self]> = items.into_iter().map(Self::shallow).collect();
        let depth = items.iter().map(Self::depth).max().unwrap_or(0) + 1;
        Self::Tuple(items, depth)
    }
}

/// Numbers that lie elsewhere in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    /// Class, such as `FloatStorage`.
    pub kind: String,
    /// Its name in the file.
    pub key: String,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TensorRef {
    pub storage: Rc<Storage>,
    /// First element.
    pub offset: i64,
    pub shape: Vec<i64>,
    /// Elements from one index to the next, for each dimension.
    pub strides: Vec<i64>,
}

/// An object of a class.
pub(super) fn object(class: &Value) -> Value {
    match class {
        Value::Global(name) if &**name == "collections.OrderedDict" => Value::Dict(Vec::new(), 1),
        Value::Global(name) => Value::Object(name.clone()),
        _ => Value::Opaque,
    }
}

/// A persistent id: `("storage", class, key, location, elements, …)`.
pub(super) fn storage(id: Value) -> Value {
    let Value::Tuple(parts, _) = id else { return Value::Opaque };
    match &*parts {
        // `("module", class, file, source)`: how the older format names the class of a whole model.
        [Value::Text(word), class @ Value::Global(_), ..] if &**word == "module" => class.clone(),
        [Value::Text(word), Value::Global(class), Value::Text(key), ..] if &**word == "storage" => {
            let kind = class.rsplit('.').next().unwrap_or_default().to_owned();
            Value::Storage(Rc::new(Storage { kind, key: key.to_string() }))
        }
        _ => Value::Opaque,
    }
}

/// The few calls that build tensors and dictionaries.
pub(super) fn call(function: &Value, arguments: &Value) -> Value {
    let (Value::Global(name), Value::Tuple(arguments, _)) = (function, arguments) else {
        return Value::Opaque;
    };
    match (&**name, &**arguments) {
        ("collections.OrderedDict", []) => Value::Dict(Vec::new(), 1),
        (
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
            [
                Value::Storage(storage),
                Value::Int(offset),
                Value::Tuple(shape, _),
                Value::Tuple(strides, _),
                ..,
            ],
        ) => match (ints(shape), ints(strides)) {
            (Some(shape), Some(strides)) => {
                let (storage, offset) = (storage.clone(), *offset);
                Value::Tensor(Rc::new(TensorRef { storage, offset, shape, strides }))
            }
            _ => Value::Opaque,
        },
        (
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state",
            [tensor @ Value::Tensor(_), ..],
        ) => tensor.clone(),
        ("copyreg._reconstructor" | "copy_reg._reconstructor", [class, ..]) => object(class),
        _ => Value::Opaque,
    }
}

fn ints(values: &[Value]) -> Option<Vec<i64>> {
    let int = |value: &Value| if let Value::Int(int) = value { Some(*int) } else { None };
    values.iter().map(int).collect()
}
