# The language itself: its own name, and how it writes dates.

language-name = English

# $day and $month are numbers, $year, $hour (00-23) and $minute are texts. Times are in UTC.
date-day = { $day } { date-month } { $year }
date-time = { date-day }, { $hour }:{ $minute } UTC
date-month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
