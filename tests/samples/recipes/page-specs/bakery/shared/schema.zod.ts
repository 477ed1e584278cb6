import { z } from "zod";
export const bread = z.object({ id: z.string(), name: z.string(), price: z.number() });
export const order = z.object({ id: z.string(), breads: z.array(bread), changedAt: z.date() });
