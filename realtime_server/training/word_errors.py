"""How far what was heard is from what was said, in words."""


def word_errors(wanted: str, got: str) -> int:
    """Substitutions, insertions and deletions between two sentences (Levenshtein over words)."""
    left, right = wanted.split(), got.split()
    row = list(range(len(right) + 1))
    for i, word in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]
