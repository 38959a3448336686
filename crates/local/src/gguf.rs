//! A GGUF file: typed metadata and tensors by name, with errors that say which key or tensor is at fault.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use crate::error::ModelError;
use crate::matrix::Matrix;

/// No dimension of a model that could run here is larger; products of two stay far from overflow.
const LARGEST_DIMENSION: u64 = 1 << 24;

/// An open GGUF file. It remembers which tensors were taken, so that none is left out unnoticed.
pub(crate) struct GgufFile {
    path: PathBuf,
    content: Content,
    reader: BufReader<File>,
    taken: BTreeSet<String>,
}

impl GgufFile {
    /// Opens a file and reads its metadata, not its tensors.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })?;
        let mut reader = BufReader::new(file);
        let content = Content::read(&mut reader).map_err(|error| {
            let (path, reason) = (path.to_owned(), first_line(&error));
            // The reader's words for a quantisation it does not have, such as IQ4 or MXFP4.
            if reason.contains("unknown dtype") {
                ModelError::UnknownType { path, reason }
            } else {
                ModelError::NotGguf { path, reason }
            }
        })?;
        Ok(Self { path: path.to_owned(), content, reader, taken: BTreeSet::new() })
    }

    /// The path it was opened by.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Elements of all tensors together, and of the largest one.
    pub(crate) fn element_counts(&self) -> (u64, u64) {
        self.content
            .tensor_infos
            .values()
            .map(|info| info.shape.dims().iter().fold(1_u64, |product, &size| product.saturating_mul(size as u64)))
            .fold((0, 0), |(sum, largest), count| (sum.saturating_add(count), largest.max(count)))
    }

    /// Whether a key is present.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.content.metadata.contains_key(key)
    }

    /// Whether a tensor is present.
    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<&str, ModelError> {
        self.value(key)?.to_string().map(String::as_str).map_err(|_| field(key, "is not a text"))
    }

    /// A text that may be absent.
    pub(crate) fn optional_text(&self, key: &str) -> Result<Option<&str>, ModelError> {
        if self.has(key) { self.text(key).map(Some) } else { Ok(None) }
    }

    /// A size: a whole number from 0 to 2^24.
    pub(crate) fn size(&self, key: &str) -> Result<usize, ModelError> {
        let number = whole(self.value(key)?).ok_or_else(|| field(key, "is not a whole number"))?;
        if number > LARGEST_DIMENSION {
            return Err(field(key, "is larger than any model that could run here"));
        }
        usize::try_from(number).map_err(|_| field(key, "is too large"))
    }

    /// A size that may be absent.
    pub(crate) fn optional_size(&self, key: &str) -> Result<Option<usize>, ModelError> {
        if self.has(key) { self.size(key).map(Some) } else { Ok(None) }
    }

    /// A real number that may be absent.
    pub(crate) fn optional_real(&self, key: &str) -> Result<Option<f64>, ModelError> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::F32(number)) => Ok(Some(f64::from(*number))),
            Some(Value::F64(number)) => Ok(Some(*number)),
            Some(_) => Err(field(key, "is not a real number")),
        }
    }

    /// A flag that may be absent.
    pub(crate) fn optional_flag(&self, key: &str) -> Result<Option<bool>, ModelError> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(field(key, "is not a flag")),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&str>, ModelError> {
        let Value::Array(items) = self.value(key)? else { return Err(field(key, "is not a list")) };
        items
            .iter()
            .map(|item| item.to_string().map(String::as_str).map_err(|_| field(key, "holds something that is not a text")))
            .collect()
    }

    /// A list of real numbers.
    pub(crate) fn reals(&self, key: &str) -> Result<Vec<f64>, ModelError> {
        let Value::Array(items) = self.value(key)? else { return Err(field(key, "is not a list")) };
        let number = |item: &Value| match item {
            Value::F32(number) => Ok(f64::from(*number)),
            Value::F64(number) => Ok(*number),
            _ => Err(field(key, "holds something that is not a real number")),
        };
        items.iter().map(number).collect()
    }

    /// A list of whole numbers that may be absent.
    pub(crate) fn optional_numbers(&self, key: &str) -> Result<Option<Vec<u64>>, ModelError> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| whole(item).ok_or_else(|| field(key, "holds something that is not a whole number")))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(field(key, "is not a list")),
        }
    }

    /// A tensor of one dimension, as 32-bit reals.
    pub(crate) fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        let tensor = self.take(name, &[length])?;
        reals(name, &tensor)
    }

    /// A weight matrix. Real types stay exact; every quantised type becomes Q8_0, the one type that the engine computes in: candle
    /// has no vector code for Q4_1, Q5_0 and Q5_1 on x86, and with a single type a prompt read whole or token by token gives the
    /// same bits.
    pub(crate) fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, ModelError> {
        let tensor = self.take(name, &[rows, columns])?;
        let values = reals(name, &tensor)?;
        Ok(match tensor.dtype() {
            GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => Matrix::from_reals(columns, values),
            _ => Matrix::from_reals(columns, values).quantised(),
        })
    }

    /// Names of the tensors that nobody took, in order.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.content.tensor_infos.keys().filter(|name| !self.taken.contains(*name)).cloned().collect();
        names.sort();
        names
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<QTensor, ModelError> {
        let info = self.content.tensor_infos.get(name).ok_or_else(|| tensor(name, "it is missing".to_owned()))?;
        // Before anything is multiplied or allocated: the shape is what the metadata promised.
        if info.shape.dims() != shape {
            return Err(tensor(name, format!("its shape is {:?}, not {shape:?}", info.shape.dims())));
        }
        let read = info
            .read(&mut self.reader, self.content.tensor_data_offset, &Device::Cpu)
            .map_err(|error| tensor(name, first_line(&error)))?;
        self.taken.insert(name.to_owned());
        Ok(read)
    }

    fn value(&self, key: &str) -> Result<&Value, ModelError> {
        self.content.metadata.get(key).ok_or_else(|| field(key, "is missing"))
    }
}

/// The error for a key.
pub(crate) fn field(key: &str, problem: &str) -> ModelError {
    ModelError::Field { key: key.to_owned(), problem: problem.to_owned() }
}

fn tensor(name: &str, problem: String) -> ModelError {
    ModelError::Tensor { name: name.to_owned(), problem }
}

fn reals(name: &str, read: &QTensor) -> Result<Vec<f32>, ModelError> {
    read.dequantize(&Device::Cpu)
        .and_then(|values| values.flatten_all()?.to_vec1::<f32>())
        .map_err(|error| tensor(name, first_line(&error)))
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::I8(number) => u64::try_from(*number).ok(),
        Value::I16(number) => u64::try_from(*number).ok(),
        Value::I32(number) => u64::try_from(*number).ok(),
        Value::I64(number) => u64::try_from(*number).ok(),
        other => other.to_u64().ok(),
    }
}

/// candle's errors may carry a backtrace below their first line.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or("unknown error").to_owned()
}
