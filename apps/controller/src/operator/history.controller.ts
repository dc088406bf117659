import { Controller, Inject, Param, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { verifyAuditChain } from '../persistence/audit-chain.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuditRow, AuthorityStore } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { Groups } from './groups.service.js';
import { notFound } from './http/problem.js';
import { queryInt } from './http/query.js';
import { Serves } from './http/serves.decorator.js';
import { reportMarkdown } from './views/saga-report.markdown.js';
import { sagaReportView } from './views/saga-report.view.js';

const PAGE = 500;
/** A report shows who did what around the saga; older acts belong to other stories. */
const ACTS = 500;

/** What happened, and whether the record of it is whole. */
@Controller()
export class HistoryController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  /**
   * Checks the hash chain from its first row. NOT shown: rows cut off at the end; compare `last` with one kept elsewhere.
   */
  @Serves(ROUTES.auditVerify)
  async verify() {
    let last: AuditRow | null = null;
    let rows = 0;
    for (;;) {
      const page: readonly AuditRow[] = await this.store.audit(last?.seq ?? 0, PAGE);
      const [first] = page;
      if (first === undefined) break;
      // The row before joins the pages, so that none can be taken out or swapped between them.
      const verdict =
        first.seq === 1 || last !== null ? verifyAuditChain(last === null ? page : [last, ...page]) : BEGINS_LATE;
      if (!verdict.ok) return { ok: false, rows, seq: verdict.seq, reason: verdict.reason, last: last && hashOf(last) };
      rows += page.length;
      last = page.at(-1) ?? last;
    }
    return { ok: true, rows, seq: null, reason: null, last: last && hashOf(last) };
  }

  /** One saga for people: timeline, votes, times, loss, who did what. */
  @Serves(ROUTES.sagaReport)
  async report(
    @Param('id') id: string,
    @Query('format') format: string | undefined,
    @Res({ passthrough: true }) res: Response,
  ) {
    const saga = await this.store.saga(id);
    if (saga === null) throw notFound(`Saga ${id}`, 'List them with GET /v1/sagas?group=<group>.');
    const acts = await this.store.lastAudit(ACTS, saga.group);
    const report = sagaReportView(saga, acts);
    if (format !== 'markdown') return report;
    res.type('text/markdown; charset=utf-8');
    return reportMarkdown(report);
  }

  /** The newest acts on a group, oldest first. */
  @Serves(ROUTES.groupAudit)
  async acts(@Param('group') group: string, @Query('limit') limit?: string) {
    this.groups.config(group); // an unknown name must not read as "nobody did anything"
    const rows = await this.store.lastAudit(queryInt('limit', limit, ROUTES.groupAudit.query.limit), group);
    return { group, audit: rows };
  }
}

const BEGINS_LATE = { ok: false, seq: 1, reason: 'the first row is missing' } as const;

const hashOf = ({ seq, hash }: AuditRow) => ({ seq, hash });
