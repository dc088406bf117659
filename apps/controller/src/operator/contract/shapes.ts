import { z } from 'zod';

type Named = { id: string };

/** Shapes with a name of their own under `components/schemas`: what is asked, and what is answered. */
export const requestShapes = z.registry<Named>();
export const answerShapes = z.registry<Named>();

/** A body that callers send; `id` is its name in the document and in clients made from it. */
export const asked = <S extends z.ZodType>(id: string, schema: S): S => {
  requestShapes.add(schema, { id });
  return schema;
};

/** A body, or a part of one, that a controller answers. */
export const answered = <S extends z.ZodType>(id: string, schema: S): S => {
  answerShapes.add(schema, { id });
  return schema;
};

/** Words that bodies share. */
export const instant = () => z.iso.datetime().meta({ description: 'RFC 3339, UTC' });
export const ms = () => z.number().meta({ description: 'milliseconds' });
export const count = () => z.int().nonnegative();
/** Whatever was written down at the time; its members differ from kind to kind and grow. */
export const evidence = () => z.unknown().meta({ description: 'JSON as it was recorded' });
