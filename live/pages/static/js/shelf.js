/**
 * The products of a page as the server last told them. State-like events carry versions: an older
 * one never overwrites a newer one, whatever order they arrive in. No clock, no page: only facts.
 */

/** @typedef {{id: string, options: string[], price_minor: number, code: string|null, on_hand: number, free: number, held: number, sold: number}} Sku */
/** @typedef {{id: string, store: string, title: string, description: string, price_minor: number, currency: string, picture: string|null, on_hand: number, free: number, held: number, sold: number, limit_per_buyer: number|null, option_names: string[], skus: Sku[], version: number}} Product */

export class Shelf {
  constructor() {
    /** @type {Map<string, {product: Product, stock: number, price: number}>} */
    this.entries = new Map();
  }

  /** Forget everything and know exactly these. @param {Product[]} products */
  replace(products) {
    this.entries = new Map(products.map((product) => [product.id, entry(product)]));
  }

  /** Know one whole product, unless something newer is known. @param {Product} product @returns {boolean} whether it was news */
  put(product) {
    const known = this.entries.get(product.id);
    if (known && product.version < Math.max(known.stock, known.price)) return false;
    this.entries.set(product.id, entry(product));
    return true;
  }

  /**
   * Take a `stock`, `price`, `product` or `sold_out` event.
   * @param {any} event
   * @returns {string|null} the id of the product that changed
   */
  apply(event) {
    if (event.type === "product") return this.put(event.product) ? event.product.id : null;
    const known = this.entries.get(event.product);
    if (!known) return null;
    if (event.type === "stock" && event.version >= known.stock) {
      known.stock = event.version;
      const told = new Map(event.skus.map((sku) => [sku.id, sku]));
      const skus = known.product.skus.map((sku) => ({ ...sku, ...told.get(sku.id) }));
      known.product = { ...known.product, free: event.free, held: event.held, skus };
      return event.product;
    }
    if (event.type === "sold_out" && event.version >= known.stock) {
      known.stock = event.version;
      const skus = known.product.skus.map((sku) => ({ ...sku, free: 0, held: 0 }));
      known.product = { ...known.product, free: 0, held: 0, skus };
      return event.product;
    }
    if (event.type === "price" && event.version >= known.price) {
      known.price = event.version;
      known.product = { ...known.product, price_minor: event.price_minor, currency: event.currency };
      return event.product;
    }
    return null;
  }

  /** @param {string|null} id @returns {Product|null} */
  get(id) {
    return this.entries.get(id ?? "")?.product ?? null;
  }

  /** @returns {Product[]} */
  all() {
    return [...this.entries.values()].map((known) => known.product);
  }
}

function entry(product) {
  return { product, stock: product.version, price: product.version };
}

/** @param {Product|Sku} product @returns {"open"|"busy"|"sold_out"} may be bought, may come back, or gone */
export function availability(product) {
  if (product.free > 0) return "open";
  return product.held > 0 ? "busy" : "sold_out";
}
