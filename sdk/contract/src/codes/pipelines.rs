//! Pipelines and their inputs.

use super::{Class, Code, Owner, codes};

codes! {
    yaml {
        ALIAS = "yaml.alias", [InvalidInput] [Author]
            "an alias stands inside the value that it names"
            "write the value out";
        AMBIGUOUS = "yaml.ambiguous", [InvalidInput] [Author]
            "a text that YAML takes for a number, a boolean or null"
            "put it in quotes";
        DOCUMENTS = "yaml.documents", [InvalidInput] [Author]
            "the file holds a second document"
            "one file is one document";
        DUPLICATE_KEY = "yaml.duplicate-key", [InvalidInput] [Author]
            "a map has a key twice"
            "remove one of the two";
        KEY = "yaml.key", [InvalidInput] [Author]
            "a key is a list or a map"
            "a key is a single text";
        SYNTAX = "yaml.syntax", [InvalidInput] [Author]
            "the file is not YAML, or not UTF-8 text"
            "correct it at the named place";
        TAG = "yaml.tag", [InvalidInput] [Author]
            "a YAML tag (`!…`), which means nothing here"
            "remove the tag";
        TOO_DEEP = "yaml.too-deep", [InvalidInput] [Author]
            "lists and maps nest deeper than is read"
            "nest less";
        TOO_LARGE = "yaml.too-large", [InvalidInput] [Author]
            "the file, or what its aliases make of it, is larger than is read"
            "`sidestep limits` prints how large it may be";
    }
    pipeline {
        BOOLEAN = "pipeline.boolean", [InvalidInput] [Author]
            "a value that is neither `true` nor `false`"
            "write one of the two";
        DURATION = "pipeline.duration", [InvalidInput] [Author]
            "a value that is not a time with its unit, or is zero"
            "write 30s, 10m or 1h30m";
        EMPTY = "pipeline.empty", [InvalidInput] [Author]
            "the file is empty"
            "begin with `version: 1`";
        ID = "pipeline.id", [InvalidInput] [Author]
            "a name that can't be an id, since expressions would not read it as one name"
            "use letters, digits and `_`";
        MISSING = "pipeline.missing", [InvalidInput] [Author]
            "a key that has to be there is missing"
            "add what the message names";
        NUMBER = "pipeline.number", [InvalidInput] [Author]
            "a number that is not whole, or out of its bounds"
            "write a number within the named bounds";
        TOO_MANY = "pipeline.too-many", [InvalidInput] [Author]
            "the pipeline has more steps, or more instances of steps, than a run takes"
            "`sidestep limits` prints how many";
        TYPE = "pipeline.type", [InvalidInput] [Author]
            "a value of another type than its key takes"
            "write what the message asks for";
        UNKNOWN_KEY = "pipeline.unknown-key", [InvalidInput] [Author]
            "a key that a pipeline or a step does not have"
            "correct it; the message offers what was probably meant";
        VERSION = "pipeline.version", [InvalidInput] [Author]
            "`version` is missing, or is one that this version does not read"
            "write `version: 1`";
        UNSUPPORTED = "unsupported", [InvalidInput] [Author]
            "something of the contract that this version does not have"
            "do without it, or use a version that has it";
    }
    input {
        CHOICE = "input.choice", [InvalidInput] [Author]
            "an input is none of its choices"
            "give one of them";
        MISSING = "input.missing", [InvalidInput] [Author]
            "an input of the pipeline has no value"
            "give it: `-i NAME=VALUE`";
        PATTERN = "input.pattern", [InvalidInput] [Author]
            "an input does not match its pattern, or the pattern can't be read"
            "give another value, or correct the pattern";
        TYPE = "input.type", [InvalidInput] [Author]
            "an input is of another type than it is declared, or the type does not exist"
            "give a value of that type";
        UNIT = "input.unit", [InvalidInput] [Author]
            "an input of a step is not the time, the size or the image that its schema asks for"
            "write it as the help says";
        UNKNOWN = "input.unknown", [InvalidInput] [Author]
            "an input that the pipeline (`-i NAME=VALUE`) or the plugin (`with`) does not have"
            "correct its name";
        WRONG = "input.wrong", [InvalidInput] [Author Plugin]
            "an input of a step is not what the plugin's schema asks for"
            "correct it in the step's `with`";
    }
    inputs {
        INVALID = "inputs.invalid", [InvalidInput] [Author]
            "a plugin can't read the inputs of its step"
            "correct what the message names in the step's `with`";
    }
    matrix {
        EMPTY = "matrix.empty", [InvalidInput] [Author]
            "a matrix has no combination, so the step would never run"
            "add a value, or remove an `exclude`";
        EXCLUDE = "matrix.exclude", [InvalidInput] [Author]
            "an entry of `exclude` matches no combination"
            "correct its values, or remove it";
        INCLUDE = "matrix.include", [InvalidInput] [Author]
            "an entry of `include` adds none, or has other keys than the matrix"
            "correct it, or remove it";
        KEY = "matrix.key", [InvalidInput] [Author]
            "a matrix has no such key, or a key that it can't have"
            "correct the key";
        TOO_MANY = "matrix.too-many", [InvalidInput] [Author]
            "a matrix has more combinations than are taken"
            "split the step";
        VALUE = "matrix.value", [InvalidInput] [Author]
            "a value of a matrix is a list or a map, stands there twice, or is not known when the plan is made"
            "write single values";
    }
    retry {
        ON = "retry.on", [InvalidInput] [Author]
            "an entry of `retry.on` is neither a class of failures nor a code"
            "write one of the two";
    }
    expression {
        BUDGET = "expression.budget", [Exhausted] [Author]
            "an expression takes more than [its budget](#budgets-of-expressions-and-schemas)"
            "make the expression at the named place simpler, or let a step work it out and read its output";
        CHOICE = "expression.choice", [InvalidInput] [Author]
            "a comparison that never holds: with no choice of the input"
            "compare with one of its choices";
        FAILED = "expression.failed", [InvalidInput] [Author]
            "an expression has no value"
            "correct it at the named place";
        FUNCTION = "expression.function", [InvalidInput] [Author]
            "a function that does not exist, or not at this place"
            "use what the help names";
        KEY = "expression.key", [InvalidInput] [Author]
            "an expression in a key"
            "keys take no expressions";
        NAME = "expression.name", [InvalidInput] [Author]
            "a name that does not exist, or can't be read at this place"
            "the help lists the names that can be read there";
        NULL = "expression.null", [InvalidInput] [Author]
            "an output that may be null, since its step may be skipped or fail"
            "write `default(…, \"…\")`, or test the step's status";
        PLACE = "expression.place", [InvalidInput] [Author]
            "an expression at a place that takes none, or written in another form than the place takes"
            "write the value, or the form that the help names";
        SECRET = "expression.secret", [InvalidInput] [Author]
            "an expression reads a secret"
            "list the name under the step's `secrets`: a plugin gets a handle, never the text";
        STATUS = "expression.status", [InvalidInput] [Author]
            "a comparison that never holds: with no status"
            "compare with a status of steps";
        STEPS = "expression.steps", [InvalidInput] [Author]
            "an expression reads `steps` as a whole"
            "read `steps.ID.outputs.NAME` or `steps.ID.status`";
        SYNTAX = "expression.syntax", [InvalidInput] [Author]
            "an expression can't be read, or is too long"
            "correct it at the named place";
        TYPE = "expression.type", [InvalidInput] [Author]
            "a condition that is not true or false, or a comparison with a value of another type, which never holds"
            "compare values of one type";
    }
    code {
        EXPRESSION = "code.expression", [InvalidInput] [Author]
            "an expression in an input that something runs, such as a script: a value that is pasted into code can become code"
            "hand it over as a variable";
    }
    env {
        UNLISTED = "env.unlisted", [InvalidInput] [Author]
            "an expression reads a variable that the file does not list"
            "add it at the top: `env: [NAME]`";
    }
    schema {
        BUDGET = "schema.budget", [Exhausted] [Plugin]
            "a plugin's schema takes more than [its budget](#budgets-of-expressions-and-schemas)"
            "this is for the plugin's author to change";
    }
    evaluator {
        BROKEN = "evaluator.broken", [Failed] [Sidestep]
            "the runner was built without its evaluator"
            "build it with `cargo xtask build`";
    }
}
