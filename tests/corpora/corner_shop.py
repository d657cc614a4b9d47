"""corner-shop: a shop with a server, its own tables and an office behind it."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.bundle import read_bundle
from tests.corpora.entity import Entity, entity, fill

ENTITIES = [
    entity(
        "products",
        "Product",
        "Products",
        "Products",
        "What the shop sells.",
        "No products yet.",
        """
        name text Name
        slug text Address in the shop
        category text Category
        price money Price
        oldPrice money Price before
        stock number In stock
        image text Picture
        description long Description
        visible flag Visible in the shop""",
    ),
    entity(
        "categories",
        "Category",
        "Categories",
        "Categories",
        "Shelves that products stand on.",
        "No categories yet.",
        """
        name text Name
        slug text Address in the shop
        parent text Above it
        position number Position
        teaser long Teaser""",
    ),
    entity(
        "coupons",
        "Coupon",
        "Coupons",
        "Coupons",
        "Codes that make a purchase cheaper.",
        "No coupons yet.",
        """
        code text Code
        kind percent|fixed|free-delivery Kind
        value number Value
        minimum money From a purchase of
        validFrom date Valid from
        validUntil date Valid until
        uses number Times used
        mostUses number Times it may be used""",
    ),
    entity(
        "orders",
        "Order",
        "Orders",
        "Orders",
        "What customers bought.",
        "Nobody has ordered yet.",
        """
        number text Number
        customerId text Customer
        placedAt date Placed
        state placed|paid|packed|sent|delivered|cancelled State
        total money Total
        delivery money Delivery
        couponCode text Coupon
        trackingCode text Tracking code
        note long Note of the customer""",
    ),
    entity(
        "customers",
        "Customer",
        "Customers",
        "Customers",
        "People who have an account.",
        "No customers yet.",
        """
        name text Name
        email text E-mail
        phone text Phone
        street text Street
        postcode text Postcode
        city text Town
        country text Country
        role customer|clerk|owner Role""",
    ),
    entity(
        "reviews",
        "Review",
        "Reviews",
        "Reviews",
        "What customers say of products.",
        "No reviews yet.",
        """
        productId text Product
        customerId text Customer
        stars number Stars
        title text Title
        words long Review
        writtenAt date Written
        approved flag Approved""",
    ),
    entity(
        "suppliers",
        "Supplier",
        "Suppliers",
        "Suppliers",
        "Where the goods come from.",
        "No suppliers yet.",
        """
        company text Company
        contact text Contact
        email text E-mail
        leadDays number Days until it arrives
        terms long Terms""",
    ),
    entity(
        "restocks",
        "Restock",
        "Restocks",
        "Restocks",
        "Goods ordered from suppliers.",
        "Nothing is on its way.",
        """
        productId text Product
        supplierId text Supplier
        amount number Amount
        orderedAt date Ordered
        arrivesAt date Arrives
        state ordered|arrived|cancelled State""",
    ),
    entity(
        "returns",
        "ReturnCase",
        "ReturnCases",
        "Returns",
        "Goods that come back.",
        "Nothing comes back.",
        """
        orderId text Order
        productId text Product
        reason broken|wrong|unwanted Reason
        amount money Refund
        receivedAt date Received
        refunded flag Refunded
        remarks long Remarks""",
    ),
    entity(
        "giftcards",
        "GiftCard",
        "GiftCards",
        "Gift cards",
        "Cards with an amount on them.",
        "No gift cards sold.",
        """
        code text Code
        amount money Amount
        left money Amount left
        buyer text Bought by
        recipient text For
        greeting long Greeting
        expiresAt date Expires""",
    ),
    entity(
        "deliveries",
        "DeliveryZone",
        "DeliveryZones",
        "Delivery zones",
        "Where we deliver to, and for how much.",
        "No zones yet.",
        """
        name text Name
        countries text Countries
        fee money Fee
        freeFrom money Free from
        days number Days it takes""",
    ),
    entity(
        "newsletters",
        "Newsletter",
        "Newsletters",
        "Newsletters",
        "Mails to subscribers.",
        "No newsletters written.",
        """
        subject text Subject
        body long Text
        sentAt date Sent
        audience everybody|customers|lapsed Audience
        draft flag Still a draft""",
    ),
]
TESTED = {"coupons", "customers", "giftcards", "orders", "products", "returns", "reviews"}

SHARED = """
/** @about@ */
export interface @One@ {
  id: string;
  @types@
  createdAt: string;
  updatedAt: string;
}

export type @One@Draft = Omit<@One@, 'id' | 'createdAt' | 'updatedAt'>;

export const empty@One@: @One@Draft = {
  @empty@
};

export interface @One@Page {
  items: @One@[];
  total: number;
}
"""
MIGRATION = """
CREATE TABLE @key@ (
  id TEXT PRIMARY KEY,
  @columns@
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX @key@_created ON @key@ (created_at);
"""
REPOSITORY = """
import { randomUUID } from 'node:crypto';
import type { @One@, @One@Draft, @One@Page } from '../../shared/@key@';
import { database } from '../core/database';

type Row = Record<string, string | number | null>;

function from(row: Row): @One@ {
  return {
    id: row.id as string,
    @row@
    createdAt: row.created_at as string,
    updatedAt: row.updated_at as string,
  } as @One@;
}

function values(draft: @One@Draft): (string | number)[] {
  return [
    @values@
  ];
}

export function find@One@(id: string): @One@ | null {
  const row = database.prepare('SELECT * FROM @key@ WHERE id = ?').get(id) as Row | undefined;
  return row ? from(row) : null;
}

export function page@Many@(words: string, page: number, size: number): @One@Page {
  const like = `%${words}%`;
  const rows = database
    .prepare('SELECT * FROM @key@ WHERE @first_column@ LIKE ? ORDER BY created_at DESC LIMIT ? OFFSET ?')
    .all(like, size, page * size) as Row[];
  const { total } = database
    .prepare('SELECT count(*) AS total FROM @key@ WHERE @first_column@ LIKE ?')
    .get(like) as { total: number };
  return { items: rows.map(from), total };
}

/** Returns all @key@, for exports and jobs; pages are for people. */
export function* every@One@(batch = 200): Generator<@One@> {
  for (let page = 0; ; page += 1) {
    const { items } = page@Many@('', page, batch);
    yield* items;
    if (items.length < batch) return;
  }
}

export function insert@One@(draft: @One@Draft): @One@ {
  const id = randomUUID();
  const now = new Date().toISOString();
  database
    .prepare('INSERT INTO @key@ (id, @column_list@, created_at, updated_at) VALUES (?, @marks@, ?, ?)')
    .run(id, ...values(draft), now, now);
  return find@One@(id)!;
}

export function save@One@(id: string, draft: @One@Draft): @One@ | null {
  database
    .prepare('UPDATE @key@ SET @sets@, updated_at = ? WHERE id = ?')
    .run(...values(draft), new Date().toISOString(), id);
  return find@One@(id);
}

export function delete@One@(id: string): boolean {
  return database.prepare('DELETE FROM @key@ WHERE id = ?').run(id).changes > 0;
}
"""
SERVICE = """
import type { @One@, @One@Draft, @One@Page } from '../../shared/@key@';
import { NotFound } from '../core/errors';
import { cents, day, flag, number, oneOf, text } from '../core/fields';
import { delete@One@, find@One@, insert@One@, page@Many@, save@One@ } from '../repositories/@key@';

type Body = Record<string, unknown>;

/** Reads a @what@ from what a browser sent; throws Invalid with the field's name. */
export function parse@One@(body: Body): @One@Draft {
  return {
    @parse@
  };
}

export function list@Many@(query: URLSearchParams): @One@Page {
  const page = Math.max(0, Number(query.get('page') ?? 0));
  const size = Math.min(100, Math.max(1, Number(query.get('size') ?? 25)));
  return page@Many@(query.get('words') ?? '', page, size);
}

export function get@One@(id: string): @One@ {
  const found = find@One@(id);
  if (!found) throw new NotFound('This @what@ does not exist.');
  return found;
}

export function create@One@(body: Body): @One@ {
  return insert@One@(parse@One@(body));
}

export function change@One@(id: string, body: Body): @One@ {
  const before = get@One@(id);
  const changed = save@One@(id, parse@One@({ ...before, ...body }));
  if (!changed) throw new NotFound('This @what@ was removed meanwhile.');
  return changed;
}

/** Sets an archived @what@ apart without losing what refers to it. */
export function archive@One@(id: string, archived: boolean): @One@ {
  const before = get@One@(id);
  const changed = save@One@(id, { ...before, archived });
  if (!changed) throw new NotFound('This @what@ was removed meanwhile.');
  return changed;
}

/** Reads many at once, from a table with a head; a bad line stops it before anything is stored. */
export function import@Many@(lines: readonly Body[]): @One@[] {
  const drafts = lines.map((line) => parse@One@(line));
  return drafts.map((draft) => insert@One@(draft));
}

export function remove@One@(id: string): void {
  if (!delete@One@(id)) throw new NotFound('This @what@ does not exist.');
}
"""
ROUTE = """
import { Router } from '../core/router';
import { requireRole } from '../core/guards';
import {
  archive@One@,
  change@One@,
  create@One@,
  get@One@,
  import@Many@,
  list@Many@,
  remove@One@,
} from '../services/@key@';

/** @about@ */
export const @key@Routes = new Router('/api/@key@');

@key@Routes.get('/', (request) => list@Many@(request.query));

@key@Routes.get('/:id', (request) => get@One@(request.params.id));

@key@Routes.post('/', (request) => {
  requireRole(request, 'clerk');
  return create@One@(request.body);
});

@key@Routes.patch('/:id', (request) => {
  requireRole(request, 'clerk');
  return change@One@(request.params.id, request.body);
});

@key@Routes.post('/:id/archive', (request) => {
  requireRole(request, 'clerk');
  return archive@One@(request.params.id, request.body.archived === true);
});

@key@Routes.post('/import', (request) => {
  requireRole(request, 'owner');
  return import@Many@(request.body.lines as Record<string, unknown>[]);
});

@key@Routes.delete('/:id', (request) => {
  requireRole(request, 'owner');
  remove@One@(request.params.id);
  return null;
});
"""
ROUTE_TEST = """
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { empty@One@ } from '../../shared/@key@';
import { signedIn, startTestServer } from '../testing/server';

test('a clerk writes a @what@ and reads it again', async () => {
  const server = await startTestServer();
  const clerk = await signedIn(server, 'clerk');
  const draft = { ...empty@One@, @first@: 'something' };
  const made = await clerk.post('/api/@key@', draft);
  assert.equal(made.status, 200);
  const read = await clerk.get(`/api/@key@/${made.body.id}`);
  assert.equal(read.body.@first@, 'something');
  await server.close();
});

test('a customer writes no @what@', async () => {
  const server = await startTestServer();
  const customer = await signedIn(server, 'customer');
  const answer = await customer.post('/api/@key@', empty@One@);
  assert.equal(answer.status, 403);
  await server.close();
});
"""
CLIENT = """
import type { @One@, @One@Draft, @One@Page } from '@shared/@key@';
import { call } from '@/lib/call';

const ADDRESS = '/api/@key@';

export function fetch@Many@(words = '', page = 0): Promise<@One@Page> {
  return call(`${ADDRESS}?${new URLSearchParams({ words, page: String(page) })}`);
}

export function fetch@One@(id: string): Promise<@One@> {
  return call(`${ADDRESS}/${id}`);
}

export function post@One@(draft: @One@Draft): Promise<@One@> {
  return call(ADDRESS, 'POST', draft);
}

export function patch@One@(id: string, draft: Partial<@One@Draft>): Promise<@One@> {
  return call(`${ADDRESS}/${id}`, 'PATCH', draft);
}

export function delete@One@(id: string): Promise<null> {
  return call(`${ADDRESS}/${id}`, 'DELETE');
}
"""
HOOK = """
import { useEffect, useState } from 'react';
import type { @One@, @One@Draft } from '@shared/@key@';
import { delete@One@, fetch@Many@, patch@One@, post@One@ } from '@/api/@key@';

/** One page of @key@, with what an office does to them. */
export function use@Many@() {
  const [items, setItems] = useState<@One@[]>([]);
  const [total, setTotal] = useState(0);
  const [page, setPage] = useState(0);
  const [words, setWords] = useState('');
  const [error, setError] = useState('');
  const [version, setVersion] = useState(0);

  useEffect(() => {
    let current = true;
    fetch@Many@(words, page)
      .then((found) => {
        if (!current) return;
        setItems(found.items);
        setTotal(found.total);
        setError('');
      })
      .catch((problem: Error) => current && setError(problem.message));
    return () => {
      current = false;
    };
  }, [words, page, version]);

  async function save(draft: @One@Draft, id?: string) {
    await (id ? patch@One@(id, draft) : post@One@(draft));
    setVersion(version + 1);
  }

  async function remove(id: string) {
    const before = items;
    setItems(items.filter((item) => item.id !== id));
    try {
      await delete@One@(id);
      setVersion(version + 1);
    } catch (problem) {
      setItems(before);
      setError((problem as Error).message);
    }
  }

  async function archive(item: @One@) {
    await patch@One@(item.id, { archived: !item.archived });
    setVersion(version + 1);
  }

  useEffect(() => {
    const timer = setInterval(() => setVersion((old) => old + 1), 60_000);
    return () => clearInterval(timer);
  }, []);

  return { items, total, page, setPage, words, setWords, error, save, remove, archive };
}
"""
FORM = """
import { useState } from 'react';
import type { FormEvent } from 'react';
import type { @One@Draft } from '@shared/@key@';
import { empty@One@ } from '@shared/@key@';
import { Button, Checkbox, Field, Select } from '@/components';

interface Props {
  initial?: @One@Draft;
  onSave: (draft: @One@Draft) => Promise<void>;
  onCancel: () => void;
}

export function @One@Form({ initial = empty@One@, onSave, onCancel }: Props) {
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<Partial<Record<keyof @One@Draft, string>>>({});
  const [busy, setBusy] = useState(false);

  function set(name: keyof @One@Draft, value: unknown) {
    setDraft((old) => ({ ...old, [name]: value }));
    setErrors((old) => ({ ...old, [name]: undefined }));
  }

  function check() {
    const errors: Partial<Record<keyof @One@Draft, string>> = {};
    @checks@
    return errors;
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    const found = check();
    setErrors(found);
    if (Object.keys(found).length) return;
    setBusy(true);
    await onSave(draft).finally(() => setBusy(false));
    onCancel();
  }

  return (
    <form className="@key@-form" onSubmit={submit} noValidate>
      @inputs@
      <footer>
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" busy={busy}>
          Save
        </Button>
      </footer>
    </form>
  );
}
"""
LIST = """
import type { @One@ } from '@shared/@key@';
import { Button, Empty } from '@/components';
@formats@

interface Props {
  items: readonly @One@[];
  onEdit: (item: @One@) => void;
  onRemove: (item: @One@) => void;
}

export function @One@Table({ items, onEdit, onRemove }: Props) {
  if (items.length === 0) return <Empty text="@nothing@" />;
  return (
    <table className="@key@-table">
      <caption>@title@</caption>
      <thead>
        <tr>
          @heads@
          <th />
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id}>
            @cells@
            <td>
              <Button kind="quiet" onClick={() => onEdit(item)}>
                Edit
              </Button>
              <Button kind="danger" onClick={() => onRemove(item)}>
                Delete
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
"""
PAGE = """
import { useState } from 'react';
import type { @One@ } from '@shared/@key@';
import { Button, Modal, Notice, Pager } from '@/components';
import { @One@Form } from './@One@Form';
import { @One@Table } from './@One@Table';
import { use@Many@ } from './use@Many@';
import '../office.css';

export default function @Many@Office() {
  const { items, total, page, setPage, words, setWords, error, save, remove } = use@Many@();
  const [edited, setEdited] = useState<@One@ | 'new' | null>(null);

  return (
    <section className="office @key@-office">
      <header>
        <h1>@title@</h1>
        <p>@about@</p>
        <input
          type="search"
          aria-label="Find @key@"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        <Button onClick={() => setEdited('new')}>Add</Button>
      </header>
      {error ? <Notice tone="bad" text={error} /> : null}
      <@One@Table items={items} onEdit={setEdited} onRemove={(item) => remove(item.id)} />
      <Pager page={page} size={25} total={total} onChange={setPage} />
      {edited ? (
        <Modal title={edited === 'new' ? 'Add' : 'Edit'} onClose={() => setEdited(null)}>
          <@One@Form
            initial={edited === 'new' ? undefined : edited}
            onSave={(draft) => save(draft, edited === 'new' ? undefined : edited.id)}
            onCancel={() => setEdited(null)}
          />
        </Modal>
      ) : null}
    </section>
  );
}
"""


def files() -> dict[str, str]:
    """Return path → text."""
    made = read_bundle(Path(__file__).with_name("corner_shop.txt"))
    for position, of in enumerate(ENTITIES, start=1):
        made.update(_entity(position, of))
    return made


def _entity(position: int, of: Entity) -> dict[str, str]:
    slots = {
        **of.slots(),
        "formats": of.formats("@/lib/money"),
        "first_column": of.slots()["column_list"].split(",")[0],
    }
    office = f"src/office/{of.key}"
    texts = {
        f"shared/{of.key}.ts": SHARED,
        f"server/migrations/{position:04}_{of.key}.sql": MIGRATION,
        f"server/repositories/{of.key}.ts": REPOSITORY,
        f"server/services/{of.key}.ts": SERVICE,
        f"server/routes/{of.key}.ts": ROUTE,
        f"server/routes/{of.key}.test.ts": ROUTE_TEST,
        f"src/api/{of.key}.ts": CLIENT,
        f"{office}/use{of.many}.ts": HOOK,
        f"{office}/{of.one}Form.tsx": FORM,
        f"{office}/{of.one}Table.tsx": LIST,
        f"{office}/{of.many}Office.tsx": PAGE,
    }
    if of.key not in TESTED:
        del texts[f"server/routes/{of.key}.test.ts"]
    return {path: fill(text, **slots) for path, text in texts.items()}
