import type { Client } from 'pg';

type Column = Readonly<{
  table_name: string;
  column_name: string;
  type: string;
  is_nullable: 'YES' | 'NO';
  column_default: string | null;
}>;
type Rule = Readonly<{ table_name: string; rule: string }>;

/** What a program that was written for a schema leans on: its columns, and what they refuse. */
export type SchemaShape = Readonly<{ columns: readonly Column[]; rules: readonly Rule[] }>;

const COLUMNS = `SELECT table_name, column_name, is_nullable, column_default,
    data_type || coalesce('(' || character_maximum_length || ')', '') AS type
  FROM information_schema.columns WHERE table_name LIKE 'pointsman%' AND table_name <> 'pointsman_migrations'
  ORDER BY table_name, column_name`;

/** Keys, checks and unique indexes; NOT NULL is of the columns. */
const RULES = `SELECT c.relname AS table_name, pg_get_indexdef(i.indexrelid) AS rule
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique AND c.relname LIKE 'pointsman%'
  UNION ALL
  SELECT c.relname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'x') AND c.relname LIKE 'pointsman%'
  ORDER BY 1, 2`;

export async function schemaShape(client: Client): Promise<SchemaShape> {
  const columns = await client.query<Column>(COLUMNS);
  const rules = await client.query<Rule>(RULES);
  return { columns: columns.rows, rules: rules.rows };
}

/** What a program of the schema `before` would stumble over on the schema `after`; empty if that one only adds. */
export function breaksOlderOnes(before: SchemaShape, after: SchemaShape): readonly string[] {
  const known = new Set(before.columns.map((c) => c.table_name));
  const nameOf = (c: Column): string => `${c.table_name}.${c.column_name}`;
  const was = new Map(before.columns.map((c) => [nameOf(c), c]));
  const is = new Map(after.columns.map((c) => [nameOf(c), c]));
  const ruleOf = (r: Rule): string => `${r.table_name}: ${r.rule}`;
  const oldRules = new Set(before.rules.map(ruleOf));
  return [
    ...[...was].flatMap(([name, old]) => {
      const now = is.get(name);
      if (now === undefined) return [`${name} is gone`];
      const stricter = now.is_nullable !== old.is_nullable && now.is_nullable === 'NO';
      return now.type !== old.type || stricter
        ? [`${name} was ${old.type}, is ${now.type}, null ${now.is_nullable}`]
        : [];
    }),
    ...after.columns
      .filter((c) => known.has(c.table_name) && !was.has(nameOf(c)))
      .filter((c) => c.is_nullable === 'NO' && c.column_default === null)
      .map((c) => `${nameOf(c)} must be filled, and an older one does not`),
    ...after.rules
      .filter((r) => known.has(r.table_name) && !oldRules.has(ruleOf(r)))
      .map((r) => `${ruleOf(r)} refuses what was allowed`),
  ];
}
