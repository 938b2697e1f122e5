use super::possible::{Scalars, Type};
use super::{functions, operators};
use crate::{Fold, Node, Span, Tree};

/// The types of the names that expressions read.
pub trait Names {
    /// Returns the type of `root`, or of a value in it: that of the first parts of `path`, and how
    /// many parts those are.
    fn of(&self, root: &str, path: &[&str]) -> (Type, usize);
}

/// A part of an expression that fails for all possible values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The part.
    pub span: Span,
    /// The reason, in one sentence.
    pub message: String,
    /// The text to write instead, if it is known.
    pub help: Option<String>,
    /// Whether the part itself has a value, but only a boolean makes sense at its place.
    pub boolean: bool,
}

/// The number of steps from one item of a list to the next after which a loop's result may be
/// anything.
const MOST_STEPS: usize = 4;

/// Checks an expression. Returns the type of its value, and each part that is certain to fail.
pub fn check(tree: &Tree, names: &dyn Names) -> (Type, Vec<Mistake>) {
    let mut checker = Checker {
        tree,
        names,
        bound: Vec::new(),
        mistakes: Vec::new(),
        silent: false,
    };
    let value = match tree.nodes.len().checked_sub(1) {
        Some(last) => checker.visit(last),
        None => Type::any(),
    };
    (value, checker.mistakes)
}

struct Checker<'a> {
    tree: &'a Tree,
    names: &'a dyn Names,
    /// The variables of loops.
    bound: Vec<(String, Type)>,
    mistakes: Vec<Mistake>,
    /// Whether mistakes are not recorded, because the types of variables are not known yet.
    silent: bool,
}

impl<'a> Checker<'a> {
    fn visit(&mut self, node: usize) -> Type {
        let tree = self.tree;
        match tree.nodes.get(node) {
            Some(Node::Text(_)) => Scalars::TEXT.into(),
            Some(Node::Literal(literal)) => (*literal).into(),
            Some(Node::Select(operand, _, true)) => {
                self.visit(usize::from(*operand));
                Scalars::BOOLEAN.into()
            }
            Some(Node::Name(_) | Node::Select(..)) => self.selected(node),
            Some(Node::Call(function, target, args)) => self.call(node, function, *target, args),
            Some(Node::List(items)) => {
                let items = items.iter().map(|item| self.visit(usize::from(*item)));
                Type::list(items.fold(Type::never(), Type::or))
            }
            Some(Node::Map(entries)) => self.map(entries),
            Some(Node::Fold(fold)) => self.fold(fold),
            Some(Node::Other) | None => Type::any(),
        }
    }

    fn map(&mut self, entries: &[(u16, u16)]) -> Type {
        let mut fields = super::Fields::default();
        for (key, value) in entries {
            let kind = self.visit(usize::from(*value));
            if let Some(Node::Text(name)) = self.tree.nodes.get(usize::from(*key)) {
                fields.known.insert(name.clone(), kind);
            } else {
                self.visit(usize::from(*key));
                fields.others = Some(Type::any());
            }
        }
        Type::map(fields)
    }

    /// Returns the type of a name, or of a field of a value.
    fn selected(&mut self, node: usize) -> Type {
        let (inner, steps) = self.steps(node);
        let (mut value, known) = match self.tree.nodes.get(inner) {
            Some(Node::Name(name)) => {
                let bound = self.bound.iter().rev().find(|(bound, _)| bound == name);
                if let Some((_, kind)) = bound {
                    (kind.clone(), 0)
                } else {
                    let path: Vec<&str> = steps.iter().map(|(_, field)| *field).collect();
                    self.names.of(name.trim_start_matches('.'), &path)
                }
            }
            _ => (self.visit(inner), 0),
        };
        for (at, field) in steps.into_iter().skip(known) {
            value = self.field(at, &value, field);
        }
        value
    }

    /// Returns the value from which fields are selected, and the nodes that select them.
    fn steps(&self, node: usize) -> (usize, Vec<(usize, &'a str)>) {
        let (mut inner, mut steps) = (node, Vec::new());
        loop {
            let (operand, field) = match self.tree.nodes.get(inner) {
                Some(Node::Select(operand, field, false)) => (*operand, field.as_str()),
                Some(Node::Call(index, None, args)) if index == "_[_]" => {
                    let [operand, key] = args.as_slice() else {
                        break;
                    };
                    let Some(Node::Text(key)) = self.tree.nodes.get(usize::from(*key)) else {
                        break;
                    };
                    (*operand, key.as_str())
                }
                _ => break,
            };
            steps.push((inner, field));
            inner = usize::from(operand);
        }
        steps.reverse();
        (inner, steps)
    }

    fn field(&mut self, at: usize, value: &Type, field: &str) -> Type {
        if let Some(kind) = value.field(field) {
            return kind;
        }
        let message = if value.may_be_map() {
            format!("this map has no field `{field}`")
        } else {
            format!("{} has no field `{field}`", value.describe())
        };
        let help = value.map.as_ref().map(|fields| {
            let known: Vec<&str> = fields.known.keys().map(String::as_str).take(20).collect();
            format!("its fields are {}", known.join(", "))
        });
        self.mistake(at, message, help.filter(|_| value.may_be_map()))
    }

    fn call(&mut self, node: usize, function: &str, target: Option<u16>, args: &[u16]) -> Type {
        match (function, args) {
            ("_&&_" | "_||_" | "!_", _) if target.is_none() => {
                for operand in args {
                    self.boolean(usize::from(*operand));
                }
                return Scalars::BOOLEAN.into();
            }
            ("_?_:_", [condition, yes, no]) => {
                self.boolean(usize::from(*condition));
                let yes = self.visit(usize::from(*yes));
                return yes.or(self.visit(usize::from(*no)));
            }
            ("_[_]", [_, key]) if self.is_text(*key) => return self.selected(node),
            _ => {}
        }
        let given: Vec<Type> = target
            .iter()
            .chain(args)
            .map(|operand| self.visit(usize::from(*operand)))
            .collect();
        match (function, given.as_slice()) {
            ("_==_" | "_!=_" | "@not_strictly_false", _) => Scalars::BOOLEAN.into(),
            ("@in", [one, all]) => self.contained(node, one, all),
            ("_[_]", [all, _]) => {
                if all.is_never() || all.may_be_list() || all.may_be_map() {
                    return if all.items().is_never() {
                        Type::any()
                    } else {
                        all.items()
                    };
                }
                let message = format!("{} has no items", all.describe());
                self.mistake(node, message, None)
            }
            ("-_", [value]) => {
                let signed = Scalars::INT.or(Scalars::DOUBLE);
                if value.is_wrong() {
                    return Type::wrong();
                }
                if value.is_never() || value.may_be(signed) {
                    return signed.into();
                }
                let message = format!("`-` can't be applied to {}", value.describe());
                self.mistake(node, message, None)
            }
            (_, [left, right]) if target.is_none() && operators::binary(function).is_some() => {
                self.binary(node, function, left, right)
            }
            _ => self.function(node, function, target.is_some(), &given),
        }
    }

    fn contained(&mut self, node: usize, one: &Type, all: &Type) -> Type {
        let is_key = one.is_never() || one.may_be(Scalars::KEY);
        if all.is_never() || all.may_be_list() || (all.may_be_map() && is_key) {
            return Scalars::BOOLEAN.into();
        }
        if all.may_be_map() {
            let message = format!("{} can't be a key of a map", one.describe());
            return self.mistake(node, message, None);
        }
        let message = format!("`in` needs a list or a map, not {}", all.describe());
        let help = all.may_be(Scalars::TEXT);
        let help = help.then(|| "a part of a string is found with contains()".to_owned());
        self.mistake(node, message, help)
    }

    fn binary(&mut self, node: usize, function: &str, left: &Type, right: &Type) -> Type {
        let Some((symbol, overloads)) = operators::binary(function) else {
            return Type::any();
        };
        if left.is_wrong() || right.is_wrong() {
            return Type::wrong();
        }
        if let Some(result) = operators::result(symbol, overloads, left, right) {
            return result;
        }
        let message = format!(
            "`{symbol}` can't be applied to {} and {}",
            left.describe(),
            right.describe()
        );
        let one = |kinds: Scalars| left.may_be(kinds) || right.may_be(kinds);
        let both = |kinds: Scalars| left.may_be(kinds) && right.may_be(kinds);
        let simple = Scalars::NUMBER.or(Scalars::BOOLEAN);
        let help = if both(Scalars::NUMBER) {
            Some("convert one of them: int(VALUE) or double(VALUE)")
        } else if symbol == "+" && one(Scalars::TEXT) && one(simple) {
            Some("convert one of them: string(VALUE), int(VALUE) or double(VALUE)")
        } else if one(Scalars::TEXT) && one(Scalars::NUMBER) {
            Some("convert the string: int(VALUE) or double(VALUE)")
        } else if one(Scalars::NULL) {
            Some("write default(VALUE, OTHER) for a value that may be null")
        } else {
            None
        };
        self.mistake(node, message, help.map(str::to_owned))
    }

    fn function(&mut self, node: usize, name: &str, on_receiver: bool, given: &[Type]) -> Type {
        let Some(function) = functions::find(name, on_receiver) else {
            return Type::any();
        };
        let (most, least) = (
            function.takes.len(),
            function.takes.len() - function.optional,
        );
        if given.len() < least || (given.len() > most && !function.ignores_more) {
            let own = usize::from(on_receiver);
            let plural = if most - own == 1 { "" } else { "s" };
            let message = format!(
                "{name}() takes {} argument{plural}, not {}",
                most - own,
                given.len() - own
            );
            return self.mistake(node, message, None);
        }
        for (takes, given) in function.takes.iter().zip(given) {
            if !takes.accepts(given) {
                let message = format!("{name}() can't be applied to {}", given.describe());
                let help = format!("it takes {}", takes.describe());
                return self.mistake(node, message, Some(help));
            }
        }
        function.result(given)
    }

    /// Checks a part of which only a boolean makes sense.
    fn boolean(&mut self, node: usize) {
        let value = self.visit(node);
        if value.is_never() || value.may_be(Scalars::BOOLEAN) {
            return;
        }
        let message = format!(
            "this is {}, but a boolean is expected here",
            value.describe()
        );
        let help = "write a comparison, such as VALUE == 'x'".to_owned();
        self.mistake(node, message, Some(help));
        if let Some(mistake) = self.mistakes.last_mut().filter(|_| !self.silent) {
            mistake.boolean = true;
        }
    }

    fn fold(&mut self, fold: &Fold) -> Type {
        let range = self.visit(usize::from(fold.range));
        if !(range.is_never() || range.may_be_list() || range.may_be_map()) {
            let message = format!("a list or a map is expected here, not {}", range.describe());
            self.mistake(usize::from(fold.range), message, None);
        }
        let first = self.visit(usize::from(fold.init));
        let item = match (&fold.items[..], range.may_be_map()) {
            ([_], false) => range.items(),
            // The keys of a map may be of several kinds.
            _ => Type::any(),
        };
        let bound = self.bound.len();
        let items = fold.items.iter();
        self.bound
            .extend(items.map(|name| (name.clone(), item.clone())));
        self.bound.push((fold.accu.clone(), first.clone()));
        let accu = self.bound.len() - 1;
        let silent = std::mem::replace(&mut self.silent, true);
        let (mut value, mut stable) = (first, false);
        for _ in 0..MOST_STEPS {
            let next = value.clone().or(self.visit(usize::from(fold.step)));
            stable = next == value;
            value = next;
            self.bound[accu].1 = value.clone();
            if stable {
                break;
            }
        }
        if !stable {
            self.bound[accu].1 = Type::any();
        }
        self.silent = silent;
        self.visit(usize::from(fold.goes_on));
        self.visit(usize::from(fold.step));
        let result = self.visit(usize::from(fold.result));
        self.bound.truncate(bound);
        result
    }

    fn is_text(&self, node: u16) -> bool {
        matches!(self.tree.nodes.get(usize::from(node)), Some(Node::Text(_)))
    }

    /// Records a mistake. The value of the part may then be anything, so that no other error
    /// follows from it.
    fn mistake(&mut self, node: usize, message: String, help: Option<String>) -> Type {
        if !self.silent {
            self.mistakes.push(Mistake {
                span: self.tree.spans.get(node).copied().unwrap_or_default(),
                message,
                help,
                boolean: false,
            });
        }
        Type::wrong()
    }
}
