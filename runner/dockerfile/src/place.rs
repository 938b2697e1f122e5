/// Returns the line and column of a byte offset, both counted from 1; the column in characters.
pub fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = &text[..text.floor_char_boundary(byte)];
    let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
    let lines = above.matches('\n').count() + usize::from(before.contains('\n'));
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (number(lines), number(line.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("é x\ny", 3), (1, 3));
        assert_eq!(place("a\n\nbc", 4), (3, 2));
        assert_eq!(place("a\n", 9), (2, 1));
    }
}
