import { pause } from '../../kernel/index.ts'
import type { Answer, Got } from './answer.ts'
import { type AttackedFile, listAttacks } from './attacks.ts'
import { beginsAsMedia } from './boxes.ts'
import { type Listed, splitMediaPath, type Visitor } from './client.ts'
import { type Probe, type ProbeParts, persist, pickOne } from './probe.ts'
import type { SendRaw } from './send-raw.ts'

/** What only someone who sees inside the platform can know. */
export type InsideKnowledge = {
  /** A token that is genuine but for its time. */
  expiredToken(claims: { titleId: string; sessionId: string; cell: string }): Promise<string | null>
  /** The key under which the file is kept. */
  objectKey(titleId: string, file: string): Promise<string | null>
}

/** Whether an answer to an attack gave away any of the film. */
export function leaksMedia(answer: Answer): boolean {
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300 && beginsAsMedia(answer.bytes)
}

type Session = {
  readonly token: string
  readonly titleId: string
  readonly sessionId: string
  readonly manifestUrl: string
}

/**
 * Plays as an honest viewer, then asks for the same segments without a right to them: one that the edge has just
 * served and so has at hand, and one that it may have to fetch first.
 */
export function createSignatureNeeded(
  parts: ProbeParts & { readonly sendRaw: SendRaw; readonly inside: InsideKnowledge | null },
): Probe {
  const { client, findings, limits, people, random, stopped, sendRaw, inside } = parts

  const open = async (visitor: Visitor, title: Listed): Promise<Got<Session>> => {
    const started = await persist(parts, () => client.playback(visitor, title.id))
    if (started.kind !== 'fine') return started
    const { manifestUrl, sessionId } = started.value
    return {
      kind: 'fine',
      value: { manifestUrl, sessionId, titleId: title.id, token: manifestUrl.split('/')[2] ?? '' },
    }
  }

  /** Two segments of one rendition; the first has just been fetched. */
  const chooseFiles = async ({ manifestUrl }: Session): Promise<readonly string[]> => {
    const tracks = await persist(parts, () => client.tracks(manifestUrl))
    const track = tracks.kind === 'fine' ? pickOne(random, tracks.value) : null
    const files = track === null ? null : await persist(parts, () => client.files(track))
    if (files?.kind !== 'fine') return []
    const hot = pickOne(random, files.value.segments) ?? ''
    const cold = pickOne(
      random,
      files.value.segments.filter((path) => path !== hot),
    )
    const fetched = await persist(parts, () => client.segment(hot))
    return [...(fetched.kind === 'fine' ? [hot] : []), ...(cold === null ? [] : [cold])]
  }

  const toAttacked = async (
    session: Session,
    other: Session | null,
    cell: string,
    path: string,
  ): Promise<AttackedFile> => {
    const { token, titleId, sessionId } = session
    const { file } = splitMediaPath(path)
    return {
      token,
      titleId,
      file,
      other,
      expiredToken: (await inside?.expiredToken({ titleId, sessionId, cell })) ?? null,
      objectKey: (await inside?.objectKey(titleId, file)) ?? null,
    }
  }

  const attack = async (attacked: AttackedFile): Promise<void> => {
    for (const { name, path } of listAttacks(attacked)) {
      const answer = await sendRaw(path)
      if (stopped.aborted) return
      if (answer.kind !== 'answered') continue
      findings.checked()
      if (leaksMedia(answer))
        findings.violated(
          name,
          `${attacked.file} of title ${attacked.titleId} was served to ${name} (${answer.status})`,
        )
    }
  }

  const round = async (): Promise<boolean> => {
    const who = pickOne(random, people)
    const met = who === null ? null : await client.session(who)
    if (met?.kind !== 'fine') return false
    const visitor = met.value
    const home = await client.home(visitor)
    const listed = home.kind === 'fine' ? home.value.filter(({ beingMade }) => !beingMade) : []
    const title = pickOne(random, listed)
    const session = title === null ? null : await open(visitor, title)
    if (title === null || session?.kind !== 'fine') return false
    const otherTitle = pickOne(
      random,
      listed.filter(({ id }) => id !== title.id),
    )
    const other = otherTitle === null ? null : await open(visitor, otherTitle)
    const files = await chooseFiles(session.value)
    for (const path of files)
      await attack(await toAttacked(session.value, other?.kind === 'fine' ? other.value : null, visitor.cell, path))
    return files.length > 0
  }

  return {
    async run() {
      while (!stopped.aborted) if (!(await round())) await pause(limits.retryMs, stopped)
    },
    result: () =>
      findings.result('no title could be played properly, so there was nothing to ask for without a signature'),
  }
}
