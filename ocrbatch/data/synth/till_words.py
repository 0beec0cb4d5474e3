"""What tills print over and over, in the languages of the default models."""

from __future__ import annotations

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.optics import Rng

PHRASES = kinds.listed(
    "Thank You|Thank You Please Come Again|Thank you for shopping with us|Please come again|Have a nice day|"
    "Goods sold are not returnable|Goods sold are not refundable or exchangeable|No refund|No exchange|"
    "Exchange allowed within 7 days with receipt|Please keep this receipt|Customer Copy|Merchant Copy|Tax Invoice|"
    "Simplified Tax Invoice|Cash Sales|Cash Bill|Official Receipt|Reprint|Duplicate|Delivery Order|Credit Note|"
    "GST Summary|Tax Summary|Tax Code|Tax Rate|Item Count|Total Item|Total Qty|Total Amount|Total Sales|Total Due|"
    "Total Payable|Total Excl. GST|Total Incl. GST|Total (Excluding GST)|Total (Inclusive of GST)|Total After Rounding|"
    "Total Amt Incl. GST @ 6%|Amount Payable|Amount Tendered|Amount Paid|Net Total|Nett Amount|Sub Total|Sub-Total|"
    "Rounding Adjustment|Rounding Adj|Service Charge 10%|Discount (%)|Disc. Amt|Change Due|Balance Due|Cash Received|"
    "Qty U.Price Amount|Qty Description Price|Item Price Qty Total|Description|Qty|Unit Price|U/P|Amt|RM|SR|ZRL|"
    "SR @ 6%|SR = 6%|S = 6%|Z = 0%|T = 20%|(6%)|(RM)|*S|E. & O. E.|E.&O.E.|Dine In|Take Away|Table No|Counter|Cashier|"
    "Operator|Payment Mode|Mode of Payment|Terms|Cash|Credit Card|Debit Card|Visa Card|Master Card|Approval Code|"
    "Reference No|Company Reg. No.|GST Reg. No.|GST ID No.|Business Reg. No.|Invoice No.|Receipt No.|Bill To|Ship To|"
    "Terima Kasih|Sila Datang Lagi|Barang yang dijual tidak boleh dikembalikan|Jumlah|Tunai|Baki|Cukai|"
    "Vielen Dank für Ihren Einkauf|Summe|Gegeben|Rückgeld|MwSt. 19%|Merci de votre visite|Montant|TVA 20%|Monnaie|"
    "Gracias por su compra|Importe|Cambio|IVA 21%|Grazie e arrivederci|Totale|Resto|Subtotale|Opening Hours|Open Daily"
)
_COLONS = (": ", ": ", " : ", " : ", ":", " :")


def till_phrase(rng: Rng) -> str:
    """A head, a sum or thanks: alone, with a colon, or with a value behind it."""
    text = kinds.pick(rng, PHRASES)
    chance = rng.random()
    if chance < 0.5:
        return text
    colon = kinds.pick(rng, _COLONS)
    if chance < 0.75:
        return text + colon.rstrip()
    return text + colon + kinds.pick(rng, (kinds.amount, kinds.number, kinds.digits, kinds.code))(rng)
