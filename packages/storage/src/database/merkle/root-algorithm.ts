/** Names how the root is computed; a change of any digest changes it. */
export const STATE_ROOT_ALGORITHM = "twentysix-merkle-sha256-v1";
