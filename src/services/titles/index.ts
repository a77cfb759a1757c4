export type { Refusal } from './decide.ts'
export { catalogMigrations } from './migrations.ts'
export type { AcceptedUpload, StaffState, TitleRow } from './rows.ts'
export { createTitles, type Titles } from './titles.ts'
