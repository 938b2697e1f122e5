//! Pipelines and their inputs.

use super::{Class, Code, Owner, codes};

codes! {
    yaml {
        ALIAS = "yaml.alias", [InvalidInput] [Author]
            "an alias is used inside the value that it refers to"
            "write the value out";
        AMBIGUOUS = "yaml.ambiguous", [InvalidInput] [Author]
            "YAML reads an unquoted text as a number, a boolean or null"
            "put the text in quotes";
        DOCUMENTS = "yaml.documents", [InvalidInput] [Author]
            "the file contains a second document"
            "write one document per file";
        DUPLICATE_KEY = "yaml.duplicate-key", [InvalidInput] [Author]
            "a map contains the same key twice"
            "remove one of the two";
        KEY = "yaml.key", [InvalidInput] [Author]
            "a key is a list or a map"
            "use a single text as the key";
        MERGE = "yaml.merge", [InvalidInput] [Author]
            "a merge key (`<<`) merges something other than maps"
            "merge a map or a list of maps, or put a key of that name in quotes";
        SYNTAX = "yaml.syntax", [InvalidInput] [Author]
            "the file is not valid YAML, or not UTF-8 text"
            "correct the file at the reported place";
        TAG = "yaml.tag", [InvalidInput] [Author]
            "the file uses a YAML tag (`!…`), and Sidestep supports no tags"
            "remove the tag";
        TOO_DEEP = "yaml.too-deep", [InvalidInput] [Author]
            "lists and maps are nested deeper than the limit"
            "reduce the nesting";
        TOO_LARGE = "yaml.too-large", [InvalidInput] [Author]
            "the file is larger than the limit, as written or after its aliases are expanded"
            "make the file smaller; `sidestep limits` prints the limit";
    }
    pipeline {
        BOOLEAN = "pipeline.boolean", [InvalidInput] [Author]
            "a value is neither `true` nor `false`"
            "write one of the two";
        DURATION = "pipeline.duration", [InvalidInput] [Author]
            "a value is not a duration with a unit, or is zero"
            "write a duration such as 30s, 10m or 1h30m";
        EMPTY = "pipeline.empty", [InvalidInput] [Author]
            "the file is empty"
            "begin with `version: 1`";
        ID = "pipeline.id", [InvalidInput] [Author]
            "a name is not a valid id, because expressions could not read it as one name"
            "use letters, digits and `_`";
        MISSING = "pipeline.missing", [InvalidInput] [Author]
            "a required key is missing"
            "add the key that the message names";
        NUMBER = "pipeline.number", [InvalidInput] [Author]
            "a number is not whole, or is out of bounds"
            "write a whole number within the reported bounds";
        TOO_MANY = "pipeline.too-many", [InvalidInput] [Author]
            "the pipeline has more steps, or more instances of steps, than a run allows"
            "reduce their number; `sidestep limits` prints the limit";
        TYPE = "pipeline.type", [InvalidInput] [Author]
            "a value does not have the type that its key requires"
            "write a value of the type that the message names";
        UNKNOWN_KEY = "pipeline.unknown-key", [InvalidInput] [Author]
            "a pipeline or a step has an unknown key"
            "correct the key; the message suggests the closest known key";
        VERSION = "pipeline.version", [InvalidInput] [Author]
            "`version` is missing, or this version of Sidestep does not support it"
            "write `version: 1`";
        UNSUPPORTED = "unsupported", [InvalidInput] [Author]
            "the file uses a feature of the contract that this version does not support"
            "remove the feature, or use a version that supports it";
    }
    input {
        CHOICE = "input.choice", [InvalidInput] [Author]
            "the value of an input is not one of its choices"
            "use one of the choices";
        MISSING = "input.missing", [InvalidInput] [Author]
            "a pipeline input has no value"
            "pass a value: `-i NAME=VALUE`";
        PATTERN = "input.pattern", [InvalidInput] [Author]
            "the value of an input does not match its pattern, or the pattern is not valid"
            "use another value, or correct the pattern";
        TYPE = "input.type", [InvalidInput] [Author]
            "the value of an input does not have the declared type, or the declared type does not exist"
            "use a value of the declared type, or correct the type";
        UNIT = "input.unit", [InvalidInput] [Author]
            "a step input is not the duration, the size or the image that its schema requires"
            "write the value as the help shows";
        UNKNOWN = "input.unknown", [InvalidInput] [Author]
            "the pipeline (`-i NAME=VALUE`) or the plugin (`with`) does not have this input"
            "correct the input's name";
        WRONG = "input.wrong", [InvalidInput] [Author Plugin]
            "a step input does not match the plugin's schema"
            "correct the input in the step's `with`";
    }
    inputs {
        INVALID = "inputs.invalid", [InvalidInput] [Author]
            "a plugin can't read the inputs of its step"
            "correct the input that the message names in the step's `with`";
    }
    matrix {
        EMPTY = "matrix.empty", [InvalidInput] [Author]
            "a matrix has no combinations, so the step would never run"
            "add a value, or remove an `exclude`";
        EXCLUDE = "matrix.exclude", [InvalidInput] [Author]
            "an entry of `exclude` matches no combination"
            "correct its values, or remove the entry";
        INCLUDE = "matrix.include", [InvalidInput] [Author]
            "an entry of `include` adds no combination, or its keys differ from those of the matrix"
            "correct the entry, or remove it";
        KEY = "matrix.key", [InvalidInput] [Author]
            "a key does not exist in the matrix, or is not allowed in a matrix"
            "correct the key";
        TOO_MANY = "matrix.too-many", [InvalidInput] [Author]
            "a matrix has more combinations than the limit"
            "split the step";
        VALUE = "matrix.value", [InvalidInput] [Author]
            "a matrix value is a list or a map, is listed twice, or is not known when the run is planned"
            "use single values that differ and that are known in advance";
    }
    retry {
        ON = "retry.on", [InvalidInput] [Author]
            "an entry of `retry.on` is neither a failure class nor a failure code"
            "write a class or a code";
    }
    expression {
        BUDGET = "expression.budget", [Exhausted] [Author]
            "an expression exceeds [its budget](#budgets-of-expressions-and-schemas)"
            "simplify the expression at the reported place, or compute the value in a step and read that step's output";
        CHOICE = "expression.choice", [InvalidInput] [Author]
            "a comparison can never be true, because the value is not one of the input's choices"
            "compare with one of the choices";
        FAILED = "expression.failed", [InvalidInput] [Author]
            "an expression can't be evaluated"
            "correct the expression at the reported place";
        FUNCTION = "expression.function", [InvalidInput] [Author]
            "an expression calls a function that does not exist, or that is not available here"
            "use a function that the help lists";
        KEY = "expression.key", [InvalidInput] [Author]
            "a key contains an expression"
            "write the key without an expression";
        NAME = "expression.name", [InvalidInput] [Author]
            "an expression uses a name that does not exist, or that is not available here"
            "use a name that the help lists";
        NULL = "expression.null", [InvalidInput] [Author]
            "an expression reads an output that can be null, because its step can be skipped or can fail"
            "write `default(…, \"…\")`, or test the step's status";
        PLACE = "expression.place", [InvalidInput] [Author]
            "an expression is not allowed here, or not in this form"
            "write a plain value, or the form that the help shows";
        SECRET = "expression.secret", [InvalidInput] [Author]
            "an expression reads a secret"
            "list the name under the step's `secrets`; the plugin receives a handle, never the text";
        STATUS = "expression.status", [InvalidInput] [Author]
            "a comparison can never be true, because the value is not a step status"
            "compare with a step status";
        STEPS = "expression.steps", [InvalidInput] [Author]
            "an expression reads `steps` as a whole"
            "read `steps.ID.outputs.NAME` or `steps.ID.status`";
        SYNTAX = "expression.syntax", [InvalidInput] [Author]
            "an expression has a syntax error, or is too long"
            "correct the expression at the reported place";
        TYPE = "expression.type", [InvalidInput] [Author]
            "a condition is not a boolean, a comparison can never be true because the types of its two sides differ, or a part of an expression fails for all values that are possible there"
            "compare values of the same type; convert a value with `string()`, `int()` or `double()`";
    }
    code {
        EXPRESSION = "code.expression", [InvalidInput] [Author]
            "an input that is executed, such as a script, contains an expression; a value that is pasted into code can become code"
            "pass the value as a variable";
    }
    env {
        UNLISTED = "env.unlisted", [InvalidInput] [Author]
            "an expression reads a variable that the file does not list"
            "add the variable at the top of the file: `env: [NAME]`";
    }
    schema {
        BUDGET = "schema.budget", [Exhausted] [Plugin]
            "a plugin's schema exceeds [its budget](#budgets-of-expressions-and-schemas)"
            "ask the plugin's author to simplify the schema";
    }
    evaluator {
        BROKEN = "evaluator.broken", [Failed] [Sidestep]
            "the runner was built without its expression evaluator"
            "build the runner with `cargo xtask build`";
    }
}
