"""The piece of the server action that lets one deployment write at a time.

The lease is one row of Odoo's parameters: `<deployment> <since> <last write> <who>`, times in seconds of
Postgres's clock. A write locks the row until it is committed, so two deployments never write side by side, and
one that wrote within `LEASE_SECONDS` is the only one. A write of another is refused before anything of it is
done. Nothing has to be given back: the lease of a writer that is killed lapses.
"""

LEASE_SECONDS = 60
"""So long after a write no other deployment may write."""

LEASE_KEY = "fcb_pipelines.writer"
"""The parameter that has the lease."""

READS = ("find", "identity", "read")
"""The verbs that only read; every other one writes."""

REFUSED = "another deployment writes these books"
"""The beginning of a refusal; the name and since when follow."""

LEASE = f"""
writes = verb not in {READS}
me = task.get('deployment')
if verb == 'identity' or (writes and me):
    # Beside the ORM, which has no lock of a row and keeps parameters in memory.
    env.cr.execute('select value from ir_config_parameter where key = %s'
                   + (' for update' if writes else ''), ['{LEASE_KEY}'])
    row = env.cr.fetchone()
    env.cr.execute('select extract(epoch from clock_timestamp())::bigint')
    now = env.cr.fetchone()[0]
    found = row[0].split(' ', 3) if row else []
    # A parameter that a person edited is no lease, nor is one of a clock that was put back since.
    is_one = len(found) == 4 and found[1].isdigit() and found[2].isdigit()
    deployment, since, last, who = found if is_one else ['', '0', '0', '']
    is_held = abs(now - int(last)) < {LEASE_SECONDS}
    if is_held and deployment != me:
        env.cr.execute("select to_char(to_timestamp(%s) at time zone 'utc', 'YYYY-MM-DD HH24:MI')",
                       [int(since)])
        writer = '%s, since %s UTC,' % (who, env.cr.fetchone()[0])
        if writes:
            raise UserError('{REFUSED}: %s last %s s ago' % (writer, now - int(last)))
        answer['writer'] = [deployment, writer]
    elif writes:
        value = '%s %s %s %s' % (me, since if is_held else now, now, task['who'])
        # One that is made meanwhile by another is a conflict, after which Odoo begins anew.
        env.cr.execute('insert into ir_config_parameter (key, value) values (%s, %s) '
                       'on conflict (key) do update set value = excluded.value', ['{LEASE_KEY}', value])
"""  # noqa: S608 - constants
