import type { SpokeRequest } from '../../contracts/index.ts'
import type { Row, Statement } from '../../engines/tables/index.ts'
import type { Grants } from './grants.ts'
import type { SpokeToken } from './token.ts'

/** A spoke as staff see it; nothing in it is secret. */
export type Spoke = Grants & { readonly createdAtMs: number }

const COLUMNS = 'name, publishes, patterns, topics, created_at_ms'

export function selectSpokes(max: number): Statement {
  return { sql: `SELECT ${COLUMNS}, token_id FROM hub_spokes ORDER BY name LIMIT ?`, parameters: [max] }
}

export function selectByToken(tokenId: string): Statement {
  return { sql: `SELECT ${COLUMNS}, token_digest FROM hub_spokes WHERE token_id = ?`, parameters: [tokenId] }
}

/** Does nothing (and so undoes its batch) where there are `max` already. */
export function insertSpoke(request: SpokeRequest, token: SpokeToken, at: { nowMs: number; max: number }): Statement {
  const { name, publishes, patterns, topics } = request
  return {
    sql: `INSERT INTO hub_spokes (name, token_id, token_digest, publishes, patterns, topics, created_at_ms)
      SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM hub_spokes) < ?`,
    parameters: [
      name,
      token.id,
      token.digest,
      JSON.stringify(publishes),
      JSON.stringify(patterns),
      JSON.stringify(topics),
      at.nowMs,
      at.max,
    ],
    expectRows: 1,
  }
}

export function updateGrants({ name, publishes, patterns, topics }: SpokeRequest): Statement {
  return {
    sql: `UPDATE hub_spokes SET publishes = ?, patterns = ?, topics = ? WHERE name = ? RETURNING ${COLUMNS}`,
    parameters: [JSON.stringify(publishes), JSON.stringify(patterns), JSON.stringify(topics), name],
  }
}

export function updateToken(name: string, token: SpokeToken): Statement {
  return {
    sql: 'UPDATE hub_spokes SET token_id = ?, token_digest = ? WHERE name = ?',
    parameters: [token.id, token.digest, name],
  }
}

export function deleteSpoke(name: string): Statement {
  return { sql: 'DELETE FROM hub_spokes WHERE name = ?', parameters: [name] }
}

export function toSpoke(row: Row): Spoke {
  return {
    name: String(row['name']),
    publishes: parseList<string>(row['publishes']),
    patterns: parseList<Record<string, unknown>>(row['patterns']),
    topics: parseList<string>(row['topics']),
    createdAtMs: Number(row['created_at_ms']),
  }
}

function parseList<T>(text: unknown): readonly T[] {
  return JSON.parse(String(text)) as readonly T[] // our own column, written from a checked request
}
