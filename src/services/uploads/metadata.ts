import { z } from 'zod'
import { titleIdSchema } from '../../contracts/index.ts'

/** What an upload is for, from its `Upload-Metadata`. */
export type UploadIntent = {
  readonly titleId: string
  readonly role: 'film' | 'captions'
  readonly fileName: string
  /** BCP 47; `und` when not said. */
  readonly language: string
  readonly label: string
}

export type FieldError = { readonly pointer: string; readonly detail: string }

const intentSchema: z.ZodType<Omit<UploadIntent, 'fileName'> & { filename: string }> = z.object({
  titleId: titleIdSchema,
  role: z.enum(['film', 'captions']),
  filename: z.string().trim().min(1).max(255),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'expected a BCP 47 language tag such as "de" or "pt-BR"')
    .max(35)
    .default('und'),
  label: z.string().trim().max(100).default(''),
})

/** The intent, or one entry per field at fault. A file name is only its last part: never a path. */
export function parseIntent(
  metadata: Readonly<Record<string, string | null>> | undefined,
): { readonly ok: true; readonly intent: UploadIntent } | { readonly ok: false; readonly errors: FieldError[] } {
  const given = Object.fromEntries(Object.entries(metadata ?? {}).filter(([, value]) => value !== null && value !== ''))
  const parsed = intentSchema.safeParse(given)
  if (parsed.success) {
    const { filename, label, ...rest } = parsed.data
    const fileName = filename.split(/[\\/]/).at(-1) || 'upload'
    return { ok: true, intent: { ...rest, fileName, label: label || rest.language } }
  }
  const errors = parsed.error.issues.map((issue) => ({
    pointer: `/Upload-Metadata/${issue.path.join('/')}`,
    detail: issue.message,
  }))
  return { ok: false, errors }
}
