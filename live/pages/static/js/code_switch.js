/**
 * Whether the chosen show sells by codes said in its chat.
 */
import { api, explain } from "./api.js";
import { $, say } from "./dom.js";

export class CodeSwitch {
  /** @param {{show: () => any}} options the chosen show, null where there is none */
  constructor({ show }) {
    this.show = show;
    this.box = $("#codes-on");
    this.box.addEventListener("change", () => this.#act(() => this.#put(this.box.checked)));
  }

  /** Another show was chosen. */
  load() {
    this.box.disabled = true;
    if (this.show()) this.#act(() => api("GET", this.#path()));
  }

  #put(open) {
    return api("PUT", this.#path(), { body: { open } });
  }

  #path() {
    return `/shows/${encodeURIComponent(this.show().id)}/codes`;
  }

  async #act(action) {
    const show = this.show().id;
    try {
      const { open } = await action();
      if (show === this.show()?.id) this.box.checked = open;
    } catch (error) {
      say($("#sell-alert"), explain(error));
    }
    this.box.disabled = !this.show();
  }
}
