# The language itself: its own name, and how it writes dates.

language-name = Deutsch

# $day and $month are numbers, $year, $hour (00-23) and $minute are texts. Times are in UTC.
date-day = { $day }. { date-month } { $year }
date-time = { date-day }, { $hour }:{ $minute } UTC
date-month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
