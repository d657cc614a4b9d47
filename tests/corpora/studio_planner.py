"""studio-planner: the React front end of a studio that gives classes; a folder for each feature."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.bundle import read_bundle
from tests.corpora.entity import Entity, entity, fill

ENTITIES = [
    entity(
        "classes",
        "StudioClass",
        "StudioClasses",
        "Classes",
        "Weekly and single classes of the studio.",
        "No classes yet. Plan the first one.",
        """
        title text Title
        level beginner|intermediate|advanced Level
        instructorId text Instructor
        roomId text Room
        startsAt date Starts
        minutes number Length in minutes
        capacity number Places
        repeats none|weekly|fortnightly Repeats
        description long Description""",
    ),
    entity(
        "rooms",
        "Room",
        "Rooms",
        "Rooms",
        "The rooms and halls that classes take place in.",
        "No rooms yet. Add the hall first.",
        """
        name text Name
        floor text Floor
        seats number Seats
        mirrored flag Has mirrors
        colour text Colour in the calendar""",
    ),
    entity(
        "instructors",
        "Instructor",
        "Instructors",
        "Instructors",
        "People who teach, with their rates.",
        "Nobody teaches here yet.",
        """
        name text Full name
        email text E-mail
        phone text Phone
        hourlyRate money Hourly rate
        speciality text Speciality
        biography long Biography
        active flag Teaches at present""",
    ),
    entity(
        "members",
        "Member",
        "Members",
        "Members",
        "Everybody who takes classes.",
        "No members yet. Import a list or add the first.",
        """
        name text Full name
        email text E-mail
        phone text Phone
        birthday date Birthday
        joinedAt date Joined
        emergencyContact text Emergency contact
        remarks long Remarks""",
    ),
    entity(
        "bookings",
        "Booking",
        "Bookings",
        "Bookings",
        "Reserved places in classes.",
        "Nobody has booked yet.",
        """
        memberId text Member
        classId text Class
        bookedAt date Booked on
        state confirmed|cancelled|attended State
        paidWith credit|single Paid with
        note long Note""",
    ),
    entity(
        "memberships",
        "Membership",
        "Memberships",
        "Memberships",
        "Monthly passes and blocks of ten.",
        "No memberships sold yet.",
        """
        memberId text Member
        plan ten-block|monthly|yearly Plan
        price money Price
        startsOn date First day
        endsOn date Last day
        creditsTotal number Credits in all
        creditsUsed number Credits used
        frozen flag Frozen""",
    ),
    entity(
        "payments",
        "Payment",
        "Payments",
        "Payments",
        "Invoices and what was paid of them.",
        "No payments recorded.",
        """
        memberId text Member
        amount money Amount
        taxRate number Tax in percent
        dueOn date Due
        paidOn date Paid on
        method cash|card|transfer Method
        reference text Reference""",
    ),
    entity(
        "waitlist",
        "WaitlistEntry",
        "WaitlistEntries",
        "Waiting list",
        "Who waits for a place in a full class.",
        "Nobody is waiting.",
        """
        memberId text Member
        classId text Class
        since date Waiting since
        offeredAt date Offered at
        state waiting|offered|expired State""",
    ),
    entity(
        "equipment",
        "EquipmentItem",
        "EquipmentItems",
        "Equipment",
        "Mats, barres, speakers and their upkeep.",
        "No equipment listed.",
        """
        name text Name
        roomId text Kept in
        amount number Pieces
        boughtOn date Bought on
        lastServiceOn date Last service
        serviceMonths number Months between services
        broken flag Out of order""",
    ),
]
TABLES = {"members", "payments", "bookings", "equipment"}
TESTED = {"bookings", "memberships"}
WITHOUT_DETAIL = {"equipment", "waitlist", "rooms", "instructors"}

TYPES = """
/** @about@ */
export interface @One@ {
  id: string;
  @types@
}

export type @One@Draft = Omit<@One@, 'id'>;

export const empty@One@: @One@Draft = {
  @empty@
};

export const @one@Labels: Record<keyof @One@Draft, string> = {
  @labels@
};
"""
API = """
import { request } from '@/lib/http';
import type { @One@, @One@Draft } from './types';

const ADDRESS = '/api/@key@';

export function list@Many@(signal?: AbortSignal): Promise<@One@[]> {
  return request<@One@[]>(ADDRESS, { signal });
}

export interface @One@Page {
  items: @One@[];
  total: number;
}

/** Returns one page of @key@, counted from 0. */
export function page@Many@(page: number, size = 50, signal?: AbortSignal): Promise<@One@Page> {
  const query = new URLSearchParams({ page: String(page), size: String(size) });
  return request<@One@Page>(`${ADDRESS}?${query}`, { signal });
}

export function get@One@(id: string, signal?: AbortSignal): Promise<@One@> {
  return request<@One@>(`${ADDRESS}/${id}`, { signal });
}

export function create@One@(draft: @One@Draft): Promise<@One@> {
  return request<@One@>(ADDRESS, { method: 'POST', body: draft });
}

export function update@One@(id: string, draft: Partial<@One@Draft>): Promise<@One@> {
  return request<@One@>(`${ADDRESS}/${id}`, { method: 'PATCH', body: draft });
}

export function remove@One@(id: string): Promise<void> {
  return request<void>(`${ADDRESS}/${id}`, { method: 'DELETE' });
}
"""
HOOK = """
import { useCallback, useEffect, useState } from 'react';
import { create@One@, list@Many@, remove@One@, update@One@ } from '../api';
import type { @One@, @One@Draft } from '../types';

interface State {
  items: @One@[];
  loading: boolean;
  error: Error | null;
}

/** Loads @key@ once and keeps them in step with what is saved. */
export function use@Many@() {
  const [state, setState] = useState<State>({ items: [], loading: true, error: null });

  const load = useCallback((signal?: AbortSignal) => {
    setState((old) => ({ ...old, loading: true, error: null }));
    list@Many@(signal)
      .then((items) => setState({ items, loading: false, error: null }))
      .catch((error: Error) => {
        if (error.name !== 'AbortError') setState((old) => ({ ...old, loading: false, error }));
      });
  }, []);

  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal);
    return () => controller.abort();
  }, [load]);

  async function save(draft: @One@Draft, id?: string): Promise<@One@> {
    const saved = id ? await update@One@(id, draft) : await create@One@(draft);
    setState((old) => ({
      ...old,
      items: id ? old.items.map((item) => (item.id === id ? saved : item)) : [...old.items, saved],
    }));
    return saved;
  }

  /** Takes a @what@ off the list at once, and puts it back where the server says no. */
  async function remove(id: string): Promise<void> {
    const before = state.items;
    setState((old) => ({ ...old, items: old.items.filter((item) => item.id !== id) }));
    try {
      await remove@One@(id);
    } catch (error) {
      setState((old) => ({ ...old, items: before, error: error as Error }));
    }
  }

  async function removeMany(ids: readonly string[]): Promise<void> {
    for (const id of ids) await remove(id);
  }

  function find(id: string | null | undefined): @One@ | undefined {
    return state.items.find((item) => item.id === id);
  }

  useEffect(() => {
    function refresh() {
      if (document.visibilityState === 'visible') load();
    }
    document.addEventListener('visibilitychange', refresh);
    return () => document.removeEventListener('visibilitychange', refresh);
  }, [load]);

  return { ...state, reload: load, save, remove, removeMany, find };
}
"""
VALIDATE = """
import type { @One@Draft } from '../types';

export type @One@Errors = Partial<Record<keyof @One@Draft, string>>;

/** Returns what is wrong with a @what@ before it is saved, a sentence for each field. */
export function validate@One@(draft: @One@Draft): @One@Errors {
  const errors: @One@Errors = {};
  @checks@
  return errors;
}
"""
FORM = """
import { useEffect, useId, useRef, useState } from 'react';
import type { FormEvent } from 'react';
import { Button, Checkbox, Field, Select } from '@/components/ui';
import { validate@One@ } from '../lib/validate@One@';
import type { @One@Errors } from '../lib/validate@One@';
import { empty@One@ } from '../types';
import type { @One@Draft } from '../types';

interface Props {
  initial?: @One@Draft;
  onSave: (draft: @One@Draft) => Promise<unknown>;
  onCancel: () => void;
}

export function @One@Form({ initial = empty@One@, onSave, onCancel }: Props) {
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<@One@Errors>({});
  const [saving, setSaving] = useState(false);
  const [failed, setFailed] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const heading = useId();
  const changed = JSON.stringify(draft) !== JSON.stringify(initial);

  useEffect(() => {
    if (!changed) return;
    function warn(event: BeforeUnloadEvent) {
      event.preventDefault();
    }
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [changed]);

  useEffect(() => {
    const first = Object.keys(errors)[0];
    if (first) form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
  }, [errors]);

  function set<K extends keyof @One@Draft>(name: K, value: unknown) {
    setDraft((old) => ({ ...old, [name]: value as @One@Draft[K] }));
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    const found = validate@One@(draft);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setSaving(true);
    try {
      await onSave(draft);
      onCancel();
    } catch (error) {
      setFailed(error instanceof Error ? error.message : 'This could not be saved.');
    } finally {
      setSaving(false);
    }
  }

  return (
    <form ref={form} className="@key@-form" aria-labelledby={heading} onSubmit={submit} noValidate>
      <h3 id={heading}>About this @what@</h3>
      <p className="form-hint">@about@</p>
      <fieldset disabled={saving}>
        @inputs@
      </fieldset>
      {failed ? <p role="alert">{failed}</p> : null}
      <footer className="form-actions">
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" busy={saving} disabled={!changed}>
          Save @what@
        </Button>
      </footer>
    </form>
  );
}
"""
CARD = """
import { Button } from '@/components/ui';
@formats@
import type { @One@ } from '../types';

interface Props {
  item: @One@;
  onEdit: (item: @One@) => void;
  onRemove: (item: @One@) => void;
}

export function @One@Card({ item, onEdit, onRemove }: Props) {
  return (
    <article className="@key@-card" aria-labelledby={`@key@-${item.id}`}>
      <h3 id={`@key@-${item.id}`}>{item.@first@}</h3>
      <dl>
        @facts@
      </dl>
      <footer>
        <Button kind="quiet" onClick={() => onEdit(item)}>
          Edit
        </Button>
        <Button kind="danger" onClick={() => onRemove(item)}>
          Remove
        </Button>
      </footer>
    </article>
  );
}
"""
CARDS = """
import { useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { Button, EmptyState, Spinner } from '@/components/ui';
import type { @One@ } from '../types';
import { @One@Card } from './@One@Card';

interface Props {
  items: @One@[];
  loading: boolean;
  onEdit: (item: @One@) => void;
  onRemove: (item: @One@) => void;
}

const AT_FIRST = 24;

export function @One@List({ items, loading, onEdit, onRemove }: Props) {
  const [most, setMost] = useState(AT_FIRST);
  const list = useRef<HTMLDivElement>(null);

  /** Arrow keys go from one @what@ to the next. */
  function move(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step || !list.current) return;
    const cards = [...list.current.querySelectorAll<HTMLElement>('[data-card]')];
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    cards[at + step]?.querySelector<HTMLElement>('button')?.focus();
    event.preventDefault();
  }

  if (loading) return <Spinner label="Loading @key@" />;
  if (items.length === 0) return <EmptyState title="@title@" text="@nothing@" />;
  return (
    <div ref={list} className="@key@-list" onKeyDown={move}>
      {items.slice(0, most).map((item) => (
        <div key={item.id} data-card>
          <@One@Card item={item} onEdit={onEdit} onRemove={onRemove} />
        </div>
      ))}
      {items.length > most ? (
        <Button kind="quiet" onClick={() => setMost(most + AT_FIRST)}>
          Show more
        </Button>
      ) : null}
    </div>
  );
}
"""
TABLE = """
import { useState } from 'react';
import { Button, Checkbox, EmptyState, Spinner, Table } from '@/components/ui';
@formats@
import type { @One@ } from '../types';

const ROWS = 25;

interface Props {
  items: @One@[];
  loading: boolean;
  onEdit: (item: @One@) => void;
  onRemove: (item: @One@) => void;
}

export function @One@List({ items, loading, onEdit, onRemove }: Props) {
  const [page, setPage] = useState(0);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const pages = Math.max(1, Math.ceil(items.length / ROWS));
  const shown = items.slice(page * ROWS, (page + 1) * ROWS);

  function pick(id: string, on: boolean) {
    const next = new Set(picked);
    if (on) next.add(id);
    else next.delete(id);
    setPicked(next);
  }

  function pickAll(on: boolean) {
    setPicked(new Set(on ? shown.map((item) => item.id) : []));
  }

  if (loading) return <Spinner label="Loading @key@" />;
  if (items.length === 0) return <EmptyState title="@title@" text="@nothing@" />;
  return (
    <>
    <Table caption="@title@">
      <thead>
        <tr>
          <th scope="col">
            <Checkbox
              name="all"
              label="All"
              checked={picked.size > 0 && picked.size === shown.length}
              onChange={pickAll}
            />
          </th>
          @heads@
          <th scope="col">Actions</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((item) => (
          <tr key={item.id} aria-selected={picked.has(item.id)}>
            <td>
              <Checkbox
                name={item.id}
                label=""
                checked={picked.has(item.id)}
                onChange={(on) => pick(item.id, on)}
              />
            </td>
            @cells@
            <td className="row-actions">
              <Button kind="quiet" onClick={() => onEdit(item)}>
                Edit
              </Button>
              <Button kind="danger" onClick={() => onRemove(item)}>
                Remove
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
    <nav className="pages" aria-label="Pages of @key@">
      <Button kind="quiet" disabled={page === 0} onClick={() => setPage(page - 1)}>
        Back
      </Button>
      <span>
        {page + 1} of {pages}
      </span>
      <Button kind="quiet" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
        On
      </Button>
    </nav>
    </>
  );
}
"""
PAGE = """
import { useMemo, useState } from 'react';
import { Button, ConfirmDialog, Dialog, ErrorNotice } from '@/components/ui';
import { @One@Filters } from './components/@One@Filters';
import { @One@Form } from './components/@One@Form';
import { @One@List } from './components/@One@List';
import { use@Many@ } from './hooks/use@Many@';
import { filter@Many@, no@One@Filter } from './lib/filter@Many@';
import type { @One@ } from './types';
import './@key@.css';

export default function @Many@Page() {
  const { items, loading, error, reload, save, remove } = use@Many@();
  const [filter, setFilter] = useState(no@One@Filter);
  const [edited, setEdited] = useState<@One@ | 'new' | null>(null);
  const [removed, setRemoved] = useState<@One@ | null>(null);
  const shown = useMemo(() => filter@Many@(items, filter), [items, filter]);

  return (
    <section className="@key@-page">
      <header className="page-head">
        <div>
          <h1>@title@</h1>
          <p>@about@</p>
        </div>
        <Button onClick={() => setEdited('new')}>New @what@</Button>
      </header>
      <@One@Filters filter={filter} onChange={setFilter} />
      {error ? <ErrorNotice error={error} onRetry={() => reload()} /> : null}
      <@One@List items={shown} loading={loading} onEdit={setEdited} onRemove={setRemoved} />
      {edited ? (
        <Dialog title={edited === 'new' ? 'New @what@' : 'Edit @what@'} onClose={() => setEdited(null)}>
          <@One@Form
            initial={edited === 'new' ? undefined : edited}
            onSave={(draft) => save(draft, edited === 'new' ? undefined : edited.id)}
            onCancel={() => setEdited(null)}
          />
        </Dialog>
      ) : null}
      {removed ? (
        <ConfirmDialog
          question="Remove this @what@?"
          onConfirm={() => remove(removed.id).then(() => setRemoved(null))}
          onCancel={() => setRemoved(null)}
        />
      ) : null}
    </section>
  );
}
"""
STYLES = """
.@key@-page {
  display: grid;
  gap: var(--space-5);
  padding: var(--space-5);
}

.@key@-list {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr));
  gap: var(--space-4);
}

.@key@-card {
  border: 1px solid var(--line);
  border-radius: var(--radius-m);
  padding: var(--space-4);
  background: var(--surface);
}

.@key@-card h3 {
  margin: 0 0 var(--space-2);
  font-size: var(--text-l);
}

.@key@-card dl {
  display: grid;
  gap: var(--space-1);
  margin: 0;
}

.@key@-card:hover,
.@key@-card:focus-within {
  border-color: var(--accent);
  box-shadow: 0 1px 6px rgb(0 0 0 / 10%);
}

.@key@-card dt {
  color: var(--text-quiet);
  font-size: 0.8rem;
}

.@key@-card dd {
  margin: 0;
  overflow-wrap: anywhere;
}

.@key@-card footer {
  display: flex;
  gap: var(--space-2);
  justify-content: flex-end;
  margin-top: var(--space-3);
}

.@key@-filters {
  display: flex;
  flex-wrap: wrap;
  gap: var(--space-3);
  align-items: end;
}

.@key@-filters input[type='search'] {
  flex: 1 1 14rem;
  padding: var(--space-2) var(--space-3);
  border: 1px solid var(--line);
  border-radius: var(--radius-m);
}

.@key@-detail {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: var(--space-2) var(--space-4);
}

.@key@-detail dt {
  color: var(--text-quiet);
}

.@key@-page .pages {
  display: flex;
  gap: var(--space-3);
  align-items: center;
  justify-content: center;
}

.@key@-page tr[aria-selected='true'] {
  background: var(--surface-raised);
}

.@key@-form fieldset {
  display: grid;
  gap: var(--space-3);
  border: 0;
  padding: 0;
}

.@key@-form {
  display: grid;
  gap: var(--space-3);
  min-width: min(32rem, 80vw);
}

@media (max-width: 40rem) {
  .@key@-page {
    padding: var(--space-3);
  }
}
"""
FILTER = """
import type { @One@ } from '../types';

export interface @One@Filter {
  words: string;
  order: keyof @One@;
  descending: boolean;
}

export const no@One@Filter: @One@Filter = { words: '', order: '@first@', descending: false };

/** Reads a filter from the address, so that a link shows the same @key@ to others. */
export function read@One@Filter(query: URLSearchParams): @One@Filter {
  return {
    words: query.get('words') ?? '',
    order: (query.get('order') ?? no@One@Filter.order) as keyof @One@,
    descending: query.get('descending') === '1',
  };
}

export function write@One@Filter(filter: @One@Filter): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.words) query.set('words', filter.words);
  if (filter.order !== no@One@Filter.order) query.set('order', filter.order);
  if (filter.descending) query.set('descending', '1');
  return query;
}

/** Returns the @key@ that a filter lets through, in its order. */
export function filter@Many@(items: readonly @One@[], filter: @One@Filter): @One@[] {
  const words = filter.words.trim().toLowerCase();
  const found = words
    ? items.filter((item) => Object.values(item).join(' ').toLowerCase().includes(words))
    : [...items];
  const direction = filter.descending ? -1 : 1;
  return found.sort((a, b) => {
    const [left, right] = [a[filter.order], b[filter.order]];
    return left < right ? -direction : left > right ? direction : 0;
  });
}
"""
FILTERS = """
import { Checkbox, SearchInput, Select } from '@/components/ui';
import type { @One@Filter } from '../lib/filter@Many@';
import { @one@Labels } from '../types';

interface Props {
  filter: @One@Filter;
  onChange: (filter: @One@Filter) => void;
}

export function @One@Filters({ filter, onChange }: Props) {
  return (
    <div className="@key@-filters" role="search">
      <SearchInput
        label="Search @key@"
        value={filter.words}
        onChange={(words) => onChange({ ...filter, words })}
      />
      <Select
        name="order"
        label="Sort by"
        options={Object.keys(@one@Labels)}
        value={filter.order}
        onChange={(order) => onChange({ ...filter, order: order as @One@Filter['order'] })}
      />
      <Checkbox
        name="descending"
        label="Last first"
        checked={filter.descending}
        onChange={(descending) => onChange({ ...filter, descending })}
      />
    </div>
  );
}
"""
DETAIL = """
import { Button, Dialog } from '@/components/ui';
@formats@
import type { @One@ } from '../types';

interface Props {
  item: @One@;
  onClose: () => void;
  onEdit: () => void;
}

/** Everything that is known of one @what@. */
export function @One@Detail({ item, onClose, onEdit }: Props) {
  return (
    <Dialog title={String(item.@first@)} onClose={onClose}>
      <dl className="@key@-detail">
        @facts@
      </dl>
      <footer className="form-actions">
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
        <Button onClick={onEdit}>Edit @what@</Button>
      </footer>
    </Dialog>
  );
}
"""
TEST = """
import { describe, expect, it } from 'vitest';
import { empty@One@ } from '../types';
import { validate@One@ } from './validate@One@';

const whole = { ...empty@One@, @first@: 'something' };

describe('validate@One@', () => {
  it('names what is missing', () => {
    expect(validate@One@(empty@One@).@first@).toBeTruthy();
  });

  it('lets through what is filled in', () => {
    expect(validate@One@(whole).@first@).toBeUndefined();
  });
});
"""
INDEX = """
export { @One@Form } from './components/@One@Form';
export { @One@List } from './components/@One@List';
export { use@Many@ } from './hooks/use@Many@';
export * from './types';
"""


def files() -> dict[str, str]:
    """Return path → text."""
    made = read_bundle(Path(__file__).with_name("studio_planner.txt"))
    for of in ENTITIES:
        made.update(_feature(of))
    return made


def _feature(of: Entity) -> dict[str, str]:
    slots = {**of.slots(), "formats": of.formats("@/lib/money")}
    folder = f"src/features/{of.key}"
    texts = {
        "types.ts": TYPES,
        "api.ts": API,
        f"hooks/use{of.many}.ts": HOOK,
        f"lib/validate{of.one}.ts": VALIDATE,
        f"lib/validate{of.one}.test.ts": TEST,
        f"lib/filter{of.many}.ts": FILTER,
        f"components/{of.one}Filters.tsx": FILTERS,
        f"components/{of.one}Detail.tsx": DETAIL,
        f"components/{of.one}Form.tsx": FORM,
        f"components/{of.one}List.tsx": TABLE if of.key in TABLES else CARDS,
        f"{of.many}Page.tsx": PAGE,
        f"{of.key}.css": STYLES,
        "index.ts": INDEX,
    }
    if of.key not in TESTED:
        del texts[f"lib/validate{of.one}.test.ts"]
    if of.key in WITHOUT_DETAIL:
        del texts[f"components/{of.one}Detail.tsx"]
    if of.key not in TABLES:
        texts[f"components/{of.one}Card.tsx"] = CARD
    return {f"{folder}/{path}": fill(text, **slots) for path, text in texts.items()}
