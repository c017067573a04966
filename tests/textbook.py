"""BM25 as the textbooks state it: slow, obvious, plain Python floats, to check the fast one."""

import math


def idf(records, term):
    """Lucene's idf; ``records`` is a list of bags of terms."""
    n, df = len(records), sum(term in record for record in records)
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def lucene(records, query, k1, b):
    """Lucene's BM25 (without k1 + 1) of every record: lists of terms, one field."""
    average = sum(len(record) for record in records) / len(records)
    scores = []
    for record in records:
        score = 0.0
        for term in query:
            tf = record.count(term)
            if tf:
                length = len(record) / average
                score += idf(records, term) * tf / (tf + k1 * (1 - b + b * length))
        scores.append(score)
    return scores


def bm25f(records, query, fields, k1):
    """BM25F of every record, by the formula that stands in ``indexes/bm25.py``.

    ``records`` are mappings of field to terms, ``query`` maps terms to weights, ``fields`` maps a
    field's name to its weight and b.
    """
    bags = [[term for name in fields for term in record.get(name, ())] for record in records]
    scores = []
    for record in records:
        score = 0.0
        for term, count in query.items():
            w = 0.0
            for name, (weight, b) in fields.items():
                total = sum(len(each.get(name, ())) for each in records)
                tf, length = record.get(name, ()).count(term), len(record.get(name, ()))
                if tf:
                    w += weight * tf / (1 - b + b * length / (total / len(records)))
            score += count * idf(bags, term) * w / (k1 + w)
        scores.append(score)
    return scores
