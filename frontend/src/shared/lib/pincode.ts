/** Whether a text is a whole pincode, as the API takes it: six digits, the first not 0. */
export const pincodePattern = /^[1-9]\d{5}$/
export const isPincode = (text: string | undefined): text is string =>
  text !== undefined && pincodePattern.test(text)
