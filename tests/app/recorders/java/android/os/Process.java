package android.os;

import phone.Phone;

public class Process {
    public static final int THREAD_PRIORITY_URGENT_AUDIO = -19;

    public static void setThreadPriority(int priority) throws IllegalArgumentException {
        Phone.wrote("priority " + priority);
    }
}
