//! Weakness ids and which of them name the same fault.

/// Groups of weaknesses that reviewers use for one and the same fault: parents, children and close siblings in the CWE list (view
/// 1000, version 4.x). A weakness may stand in one group only.
const FAMILIES: &[&[u32]] = &[
    // Improper neutralisation in SQL and its likes.
    &[89, 564, 943, 90, 643, 652],
    &[22, 23, 24, 25, 35, 36, 37, 59, 73, 26, 27, 28, 61],
    &[77, 78, 88, 76],
    &[79, 80, 83, 87, 116, 85, 86, 692],
    &[94, 95, 96, 1336, 470, 913, 917],
    &[502],
    &[915, 1321],
    &[918, 441],
    &[601],
    &[611, 776, 827, 91, 112],
    &[1236],
    &[327, 328, 326, 916, 759, 760, 323, 329, 325, 1204, 1240, 310],
    &[330, 331, 335, 338, 340, 337, 341, 343, 1241],
    &[798, 259, 321, 256, 522, 312],
    &[295, 297, 296, 299, 350],
    &[347, 345, 346, 353, 354, 290],
    &[208, 385, 203],
    &[862, 863, 639, 285, 284, 566, 732, 276, 269, 266, 425],
    &[287, 306, 304, 288, 303, 640, 620, 384, 307, 294],
    &[352, 1275],
    &[377, 378, 379, 668],
    &[434, 351, 646],
    &[400, 770, 1333, 407, 834, 835, 674, 789, 405, 409],
    &[117, 93, 113, 144, 150],
    &[200, 209, 532, 497, 489, 215, 213, 201],
    &[367, 362, 363, 366],
    &[20, 1284, 1287, 179, 1286, 129],
    &[125, 787, 119, 120, 121, 122, 131, 190, 191, 680, 805, 124, 126, 127],
    &[416, 415, 476, 825, 401, 772],
    &[134],
    &[614, 1004, 311, 319, 315],
    &[506, 507, 511, 912],
];

/// The number of a weakness as people write it: `CWE-89`, `cwe 89`, `CWE89`, `89`.
#[must_use]
pub fn number(text: &str) -> Option<u32> {
    let in_range = |digits: &str| digits.parse().ok().filter(|number| (1..100_000).contains(number));
    let leading = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let text = text.trim();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return in_range(&leading(text));
    }
    // "SQL injection (CWE-89)": look for the mark, wherever it stands.
    let lower = text.to_ascii_lowercase();
    lower.split("cwe").skip(1).find_map(|after| in_range(&leading(after.trim_start_matches(['-', '_', ' ', ':', '#']))))
}

/// Whether two weaknesses are the same, or name the same fault in neighbouring words.
#[must_use]
pub fn same_family(a: u32, b: u32) -> bool {
    a == b || FAMILIES.iter().any(|family| family.contains(&a) && family.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for text in ["CWE-89", "cwe 89", "CWE89", "89", "CWE-89: SQL Injection", "SQL injection (CWE-89)", "CWE_089"] {
            assert_eq!(number(text), Some(89), "{text}");
        }
        for text in ["", "SQL injection", "CWE", "version 2", "CWE-0", "cwes = [", "cwecwe"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn families_do_not_overlap() {
        let mut all: Vec<u32> = FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(same_family(78, 77) && same_family(862, 639) && same_family(7, 7));
        assert!(!same_family(89, 22) && !same_family(7, 8));
    }
}
