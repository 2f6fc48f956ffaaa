"""The SQL statements that hold and settle budgets; each locks its rows in the order of `ORDERED`."""

from __future__ import annotations

from conversations.models.budget import THIS_PERIOD

APPLIES = """
(conversations_budget.user_id = {user}
OR (conversations_budget.user_id IS NULL AND conversations_budget.group_id IS NULL)
OR conversations_budget.group_id IN (SELECT group_id FROM conversations_user_groups WHERE user_id = {user}))
"""
"""The condition under which a budget applies to a user's requests."""

ORDERED = "conversations_budget.user_id IS NULL, conversations_budget.group_id IS NULL, conversations_budget.id"
"""The user's own budget first, the platform's last: all transactions wait for its lock, which should be short."""

SPENT_NOW = f"CASE WHEN conversations_budget.period_start >= {THIS_PERIOD} THEN conversations_budget.spent ELSE 0 END"
"""The amount spent in the present period: the row may be of an earlier one until something changes it."""

# Returns the budgets with too little left, and then holds nothing of any. Repeating it for the same request holds once.
HOLD = f"""
WITH asked AS MATERIALIZED (
    SELECT id, "limit" >= {SPENT_NOW} + held + %(amount)s AS has_room
    FROM conversations_budget
    WHERE id = ANY(%(budgets)s)
        AND NOT EXISTS (SELECT FROM conversations_hold WHERE work = %(work)s AND number = %(number)s)
    ORDER BY {ORDERED} FOR NO KEY UPDATE OF conversations_budget
), held AS (
    UPDATE conversations_budget
    SET held = held + %(amount)s, spent = {SPENT_NOW}, period_start = greatest(period_start, {THIS_PERIOD})
    FROM asked WHERE conversations_budget.id = asked.id AND (SELECT bool_and(has_room) FROM asked)
    RETURNING conversations_budget.id
), noted AS (
    INSERT INTO conversations_hold (budget_id, work, number, amount, created_at)
    SELECT id, %(work)s, %(number)s, %(amount)s, now() FROM held
)
SELECT id FROM asked WHERE NOT has_room
"""  # noqa: S608 - ours

BOOKED_PERIOD = "date_trunc(conversations_budget.period, %(booked_at)s AT TIME ZONE 'UTC')::date"
LATEST_PERIOD = f"greatest(conversations_budget.period_start, {THIS_PERIOD}, {BOOKED_PERIOD})"

# Parts of a statement that ends work: the rows of `ended` have its id and its user. The work's holds are released, and
# its cost is added to the spending of the budgets that apply, if it is of their latest period. The lock on the user's
# daily sums comes before those on budgets, as when a ledger row is stored alone.
SETTLED = f"""
summing AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtext('daily usage'), hashtext(ended.user_id::text)) FROM ended
), settling AS MATERIALIZED (
    SELECT conversations_budget.id, {APPLIES.format(user="ended.user_id")} AS applies, coalesce((
        SELECT sum(amount) FROM conversations_hold WHERE work = ended.id AND budget_id = conversations_budget.id
    ), 0) AS released
    FROM ended CROSS JOIN summing CROSS JOIN conversations_budget
    WHERE {APPLIES.format(user="ended.user_id")}
        OR conversations_budget.id IN (SELECT budget_id FROM conversations_hold WHERE work = ended.id)
    ORDER BY {ORDERED} FOR NO KEY UPDATE OF conversations_budget
), settled AS (
    UPDATE conversations_budget SET
        held = held - released,
        spent = CASE WHEN period_start = {LATEST_PERIOD} THEN spent ELSE 0 END
            + CASE WHEN applies AND {BOOKED_PERIOD} = {LATEST_PERIOD} THEN %(counted)s ELSE 0 END,
        period_start = {LATEST_PERIOD}
    FROM settling WHERE conversations_budget.id = settling.id
), released AS (
    DELETE FROM conversations_hold USING ended WHERE work = ended.id
)
"""  # noqa: S608 - ours
