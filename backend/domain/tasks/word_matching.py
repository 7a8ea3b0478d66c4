"""Matching search words to tasks by trigrams, which tolerate typing errors, and synonyms."""

from sqlalchemy import ColumnElement, text

from backend.domain.tasks.models import Task

# Each phrase (the query and its synonyms) is compared word by word with a task's words; the
# phrase's score is the mean of its words' best similarity, so that one wrong letter costs little and a wrong word much.
SCORES = """
    phrases AS (
        SELECT DISTINCT plain_text(phrase) AS phrase
          FROM (SELECT CAST(:q AS text) AS phrase
                UNION ALL
                SELECT unnest(s.phrases) FROM task_synonyms s
                 WHERE EXISTS (SELECT 1 FROM unnest(s.phrases) p
                                WHERE similarity(plain_text(p), plain_text(:q)) >= 0.4
                                   OR position(' ' || plain_text(p) || ' ' IN ' ' || plain_text(:q) || ' ') > 0)) known
    ),
    words AS (
        SELECT phrase, word, count(*) OVER (PARTITION BY phrase) AS n
          FROM phrases, regexp_split_to_table(phrase, '[^[:alnum:]]+') AS word
         WHERE word <> ''
    ),
    scores AS (
        SELECT task_id, max(score) AS score
          FROM (SELECT t.id AS task_id, w.phrase,
                       sum(greatest(word_similarity(w.word, t.search_text),
                                    (position(w.word IN t.search_text) > 0)::int * 0.8)) / max(w.n) AS score,
                       max(w.n) AS n
                  FROM words w JOIN tasks t
                    ON w.word <% t.search_text OR t.search_text LIKE '%' || w.word || '%'
                 GROUP BY t.id, w.phrase) by_phrase
         WHERE score >= CASE WHEN n = 1 THEN 0.35 ELSE 0.55 END
         GROUP BY task_id
    ),
    matches AS (
        SELECT task_id, score FROM scores WHERE score >= 0.6 * (SELECT max(score) FROM scores)
    )
"""


def condition(q: str) -> ColumnElement[bool]:
    """Return the condition that a task matches these words."""
    meant = text(f"WITH {SCORES} SELECT task_id AS id FROM matches").bindparams(q=q)  # noqa: S608  # a constant of ours
    return Task.id.in_(meant.columns(Task.id).subquery().select())
