import { Controller } from '@nestjs/common';
import { openApiDocument } from './contract/openapi.js';
import { ROUTES } from './contract/routes.js';
import { Serves } from './http/serves.decorator.js';

@Controller()
export class DocumentController {
  private readonly document = openApiDocument();

  @Serves(ROUTES.document)
  get() {
    return this.document;
  }
}
